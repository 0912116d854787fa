//! Tests of the static check of specs.

use super::bed::star;
use expect_test::expect;

#[test]
fn keys_of_a_node_spec() {
    star(
        r#"
node_spec(imge = {})
node_spec(image = {"os_famly": "debian"}, hardware = {"min_cores": "2"}, network = {"inbound_ports": [80, -1]})
group_spec("web", node_spec = {"hardwar": {}})
defnode("db", imag = {"os_family": "debian"})
"#,
    )
    .wrong(expect![[r#"
        error: node_spec has no parameter `imge`
         --> pallet.star:2:11
          |
        2 | node_spec(imge = {})
          |           ^^^^
          = help: did you mean `image`?

        error: node_spec: `image` has no key `os_famly`
         --> pallet.star:3:20
          |
        3 | node_spec(image = {"os_famly": "debian"}, hardware = {"min_cores": "2"}, network = {"inbound_ports": [80, -1]})
          |                    ^^^^^^^^^^
          = help: did you mean `os_family`?

        error: node_spec: `hardware.min_cores` must be an integer, not the string "2"
         --> pallet.star:3:68
          |
        3 | node_spec(image = {"os_famly": "debian"}, hardware = {"min_cores": "2"}, network = {"inbound_ports": [80, -1]})
          |                                                                    ^^^

        error: node_spec: `network.inbound_ports.1` must be 0 to 65535, not -1
         --> pallet.star:3:107
          |
        3 | node_spec(image = {"os_famly": "debian"}, hardware = {"min_cores": "2"}, network = {"inbound_ports": [80, -1]})
          |                                                                                                           ^^

        error: group_spec: `node_spec` has no key `hardwar`
         --> pallet.star:4:32
          |
        4 | group_spec("web", node_spec = {"hardwar": {}})
          |                                ^^^^^^^^^
          = help: did you mean `hardware`?

        error: defnode: the phase `imag` must be a function, not a dict
         --> pallet.star:5:15
          |
        5 | defnode("db", imag = {"os_family": "debian"})
          |               ^^^^
          = help: did you mean `image`?
    "#]]);
}

#[test]
fn counts() {
    star(
        r#"
group_spec("a", count = "two")
group_spec("b", count = -1)
group_spec("c", count = 1.5)
group_spec("d", count = str(2))
"#,
    )
    .wrong(expect![[r#"
        error: group_spec: `count` must be an integer, not the string "two"
         --> pallet.star:2:25
          |
        2 | group_spec("a", count = "two")
          |                         ^^^^^

        error: group_spec: `count` must be at least 0, not -1
         --> pallet.star:3:25
          |
        3 | group_spec("b", count = -1)
          |                         ^^

        error: group_spec: `count` must be an integer, not 1.5
         --> pallet.star:4:25
          |
        4 | group_spec("c", count = 1.5)
          |                         ^^^
    "#]]);
}

#[test]
fn phases_that_are_no_functions() {
    star(
        r#"
group_spec("a", phases = {"configure": "web"})
group_spec("b", phases = ["configure"])
defnode("c", configure = {"os_family": "debian"})
"#,
    )
    .wrong(expect![[r#"
        error: group_spec: the phase `configure` must be a function, not a string
         --> pallet.star:2:40
          |
        2 | group_spec("a", phases = {"configure": "web"})
          |                                        ^^^^^

        error: group_spec: `phases` must be a dict of functions by the names of their phases, not a list
         --> pallet.star:3:26
          |
        3 | group_spec("b", phases = ["configure"])
          |                          ^^^^^^^^^^^^^

        error: defnode: the phase `configure` must be a function, not a dict
         --> pallet.star:4:14
          |
        4 | defnode("c", configure = {"os_family": "debian"})
          |              ^^^^^^^^^
          = help: any other keyword is a phase, whose value must be a function of the request
    "#]]);
}

#[test]
fn counts_beyond_all_measure() {
    star("group_spec(\"web\", count = 100000000000000000000)\n").wrong(expect![[r#"
        error: group_spec: `count` must be an integer, not 100000000000000000000
         --> pallet.star:1:1
          |
        1 | group_spec("web", count = 100000000000000000000)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]]);
    star("group_spec(\"web\", count = 4294967296)\n").wrong(expect![[r#"
        error: group_spec: `count` must be 0 to 4294967295, not 4294967296
         --> pallet.star:1:27
          |
        1 | group_spec("web", count = 4294967296)
          |                           ^^^^^^^^^^
    "#]]);
    star("group_spec(\"web\", count = 10000000 * 10000000000000)\n").wrong(expect![[r#"
        error: group_spec: `count` must be an integer, not 100000000000000000000
         --> pallet.star:1:1
          |
        1 | group_spec("web", count = 10000000 * 10000000000000)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]]);
    star("defnode(\"web\", count = -100000000000000000000)\n").wrong(expect![[r#"
        error: defnode: `count` must be an integer, not -100000000000000000000
         --> pallet.star:1:1
          |
        1 | defnode("web", count = -100000000000000000000)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]]);
}

#[test]
fn phase_functions_of_other_arguments() {
    star("def f(): pass\ngroup_spec(\"web\", phases = {\"configure\": f})\n").wrong(expect![[r#"
        error: group_spec: the phase `configure`: a phase function takes one argument, the request; f takes none
         --> pallet.star:2:1
          |
        2 | group_spec("web", phases = {"configure": f})
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: write `request` as its parameter
    "#]]);
    star("def f(request, name): pass\ngroup_spec(\"web\", phases = {\"configure\": f})\n").wrong(expect![[r#"
        error: group_spec: the phase `configure`: a phase function takes one argument, the request; f takes more
         --> pallet.star:2:1
          |
        2 | group_spec("web", phases = {"configure": f})
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: wrap it: `lambda request: f(request, ...)`
    "#]]);
    star("group_spec(\"web\", phases = {\"configure\": lambda: 1})\n").wrong(expect![[r#"
        error: group_spec: the phase `configure`: a phase function takes one argument, the request; lambda takes none
         --> pallet.star:1:1
          |
        1 | group_spec("web", phases = {"configure": lambda: 1})
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: write `request` as its parameter
    "#]]);
}

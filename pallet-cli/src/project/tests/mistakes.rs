//! What the static check says of wrong code, in functions that are never called too.

use super::bed::star;
use expect_test::expect;

#[test]
fn a_syntax_error() {
    star("def f(:\n    pass\n").wrong(expect![[r#"
        error: syntax error: unexpected symbol ':', expected identifier
         --> pallet.star:1:7
          |
        1 | def f(:
          |       ^
    "#]]);
    star("x = [1, 2\n").wrong(expect![[r#"
        error: syntax error: unexpected new line, expected symbol ']'
         --> pallet.star:2:1
          |
        2 | 
          | ^
    "#]]);
}

#[test]
fn a_name_that_there_is_not() {
    star("load(\"@nginx\", \"nginx\")\n\ndef web(request):\n    ngnix.install(request)\n    directry(request, \"/srv\")\n").wrong(expect![[r#"
        error: there is no `ngnix`
         --> pallet.star:4:5
          |
        4 |     ngnix.install(request)
          |     ^^^^^
          = help: did you mean `nginx`?

        error: there is no `directry`
         --> pallet.star:5:5
          |
        5 |     directry(request, "/srv")
          |     ^^^^^^^^
          = help: did you mean `directory`?
    "#]]);
}

#[test]
fn a_function_that_the_crate_does_not_have() {
    star("load(\"@nginx\", \"nginx\")\n\ndef web(request):\n    nginx.sit(request, \"hello\")\n").wrong(expect![[r#"
        error: nginx has no `sit`
         --> pallet.star:4:11
          |
        4 |     nginx.sit(request, "hello")
          |           ^^^
          = help: did you mean `site`?
    "#]]);
}

#[test]
fn arguments_of_a_crate() {
    star(
        r#"load("@nginx", "nginx", "site")

def web(request):
    nginx.site(request, "hello", prt = 80)
    nginx.site(request, "hello", port = "eighty")
    nginx.site(request, "hello", port = 70000, scheme = "htps")
    nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
    nginx.site(request)
    nginx.site("hello")
    nginx.site(request, "hello", 80)
    nginx.install(request, 1)
    site(request, name = 1, nme = "x")
    nginx.site(request, "hello", port = str(80))
    nginx.site(request, 3 * [1])
"#,
    )
    .wrong(expect![[r#"
        error: nginx.site has no parameter `prt`
         --> pallet.star:4:34
          |
        4 |     nginx.site(request, "hello", prt = 80)
          |                                  ^^^
          = help: did you mean `port`?

        error: nginx.site: `port` must be an integer, not the string "eighty"
         --> pallet.star:5:41
          |
        5 |     nginx.site(request, "hello", port = "eighty")
          |                                         ^^^^^^^^

        error: nginx.site: `port` must be 0 to 65535, not 70000
         --> pallet.star:6:41
          |
        6 |     nginx.site(request, "hello", port = 70000, scheme = "htps")
          |                                         ^^^^^

        error: nginx.site: `scheme` must be "http" or "https", not the string "htps"
         --> pallet.star:6:57
          |
        6 |     nginx.site(request, "hello", port = 70000, scheme = "htps")
          |                                                         ^^^^^^
          = help: did you mean "https"?

        error: nginx.site: `aliases.1` must be a string, not 1
         --> pallet.star:7:50
          |
        7 |     nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
          |                                                  ^

        error: nginx.site: `tls` lacks the key `certificate`
         --> pallet.star:7:60
          |
        7 |     nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
          |                                                            ^^^^^^^^^^^^^^^^^^^

        error: nginx.site: `tls` has no key `certifcate`
         --> pallet.star:7:61
          |
        7 |     nginx.site(request, "hello", aliases = ["a", 1], tls = {"certifcate": "x"})
          |                                                             ^^^^^^^^^^^^
          = help: did you mean `certificate`?

        error: nginx.site: `name` is missing
         --> pallet.star:8:5
          |
        8 |     nginx.site(request)
          |     ^^^^^^^^^^

        error: nginx.site: `name` is missing
         --> pallet.star:9:5
          |
        9 |     nginx.site("hello")
          |     ^^^^^^^^^^

        error: nginx.site takes 2 arguments by position (request, name), not 3
          --> pallet.star:10:34
           |
        10 |     nginx.site(request, "hello", 80)
           |                                  ^^
           = help: by keyword it takes port, root, scheme, aliases, tls

        error: nginx.install takes 1 arguments by position (request), not 2
          --> pallet.star:11:28
           |
        11 |     nginx.install(request, 1)
           |                            ^

        error: nginx.site: `name` must be a string, not 1
          --> pallet.star:12:26
           |
        12 |     site(request, name = 1, nme = "x")
           |                          ^

        error: nginx.site has no parameter `nme`
          --> pallet.star:12:29
           |
        12 |     site(request, name = 1, nme = "x")
           |                             ^^^
           = help: did you mean `name`?

        error: expected type `None | int` but got `str`
          --> pallet.star:13:34
           |
        13 |     nginx.site(request, "hello", port = str(80))
           |                                  ^^^^^^^^^^^^^^

        error: nginx.site: `name` must be a string, not a list
          --> pallet.star:14:25
           |
        14 |     nginx.site(request, 3 * [1])
           |                         ^^^^^^^
    "#]]);
}

#[test]
fn arguments_of_an_action() {
    star(
        r#"
def web(request):
    directory(request, "/srv", mod = "0755")
    directory(request, "/srv", mode = 755)
    directory(request, "/srv", action = "remove")
    directory("/srv")
    directory(request, "/srv", flag_on_change = "x", if_flag = True)
"#,
    )
    .wrong(expect![[r#"
        error: directory has no parameter `mod`
         --> pallet.star:3:32
          |
        3 |     directory(request, "/srv", mod = "0755")
          |                                ^^^
          = help: did you mean `mode`?

        error: directory: `mode` must be a string, not 755
         --> pallet.star:4:39
          |
        4 |     directory(request, "/srv", mode = 755)
          |                                       ^^^

        error: directory: `action` must be "create" or "delete", not the string "remove"
         --> pallet.star:5:41
          |
        5 |     directory(request, "/srv", action = "remove")
          |                                         ^^^^^^^^

        error: directory: `path` is missing
         --> pallet.star:6:5
          |
        6 |     directory("/srv")
          |     ^^^^^^^^^

        error: directory: `if_flag` must be a string, not true
         --> pallet.star:7:64
          |
        7 |     directory(request, "/srv", flag_on_change = "x", if_flag = True)
          |                                                                ^^^^
    "#]]);
}

#[test]
fn attributes_of_the_request() {
    star(
        r#"
def web(request):
    print(request.tagret.name, request.target.nme, request.target.os.famly)

def other(x, request):
    print(request.whatever)
"#,
    )
    .wrong(expect![[r#"
        error: request has no `tagret`
         --> pallet.star:3:19
          |
        3 |     print(request.tagret.name, request.target.nme, request.target.os.famly)
          |                   ^^^^^^
          = help: did you mean `target`?

        error: request.target has no `nme`
         --> pallet.star:3:47
          |
        3 |     print(request.tagret.name, request.target.nme, request.target.os.famly)
          |                                               ^^^
          = help: did you mean `name`?

        error: request.target.os has no `famly`
         --> pallet.star:3:70
          |
        3 |     print(request.tagret.name, request.target.nme, request.target.os.famly)
          |                                                                      ^^^^^
          = help: did you mean `family`?
    "#]]);
}

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

        error: group_spec: `count` must be 0 to 4294967295, not -1
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
          = help: any other keyword is a phase, and its value a function of the request

        error: defnode: the phase `configure` must be a function, not a dict
         --> pallet.star:4:14
          |
        4 | defnode("c", configure = {"os_family": "debian"})
          |              ^^^^^^^^^
          = help: any other keyword is a phase, and its value a function of the request
    "#]]);
}

#[test]
fn names_that_a_file_binds_itself_are_its_own() {
    star(
        r#"
load("@nginx", "nginx")

def directory(x):
    return x

def web(request, nginx = None):
    directory(1)
    nginx.anything(1)
    [group_spec.x for group_spec in []]

group_spec("web", count = 1)
"#,
    )
    .wrong(expect!["loads; "]);
}

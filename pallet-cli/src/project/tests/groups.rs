//! Tests of groups: inheritance, clusters, duplicate names.

use super::bed::{Bed, check_phase, star};
use expect_test::expect;

#[test]
fn what_is_inherited_comes_first() {
    let project = star(
        r#"
def say(word):
    return lambda request: print(word)

one = server_spec(phases = {"configure": say("one")}, roles = "one", node_spec = node_spec(hardware = {"min_cores": 1, "min_ram": 64}))
two = server_spec(phases = {"configure": [say("two"), say("three")]}, extends = one, roles = ["two"], default_phases = ["configure", "check"])
group_spec(
    "web",
    count = 2,
    extends = [two],
    phases = {"configure": say("own")},
    node_spec = {"hardware": {"min_cores": 2}},
)
"#,
    )
    .load();
    let group = &project.groups[0];
    assert_eq!((group.name.as_str(), group.count), ("web", Some(2)));
    assert_eq!(group.server.roles.iter().collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(group.default_phases(), ["configure", "check"]);
    let hardware = group.server.node_spec.hardware.as_ref().unwrap();
    assert_eq!((hardware.min_cores, hardware.min_ram), (Some(2), Some(64)));
    check_phase(
        &project,
        "configure",
        expect![[r#"
        log {"level":"info","message":"one"}
        log {"level":"info","message":"two"}
        log {"level":"info","message":"three"}
        log {"level":"info","message":"own"}
    "#]],
    );
}

#[test]
fn a_node_in_the_short_form() {
    let project = star(
        r#"
def web(request):
    directory(request, "/srv")

defnode("web", image = {"os_family": "debian"}, network = {"inbound_ports": [80]}, configure = web, bootstrap = lambda request: None)
"#,
    )
    .load();
    let group = &project.groups[0];
    assert_eq!(group.count, None);
    assert_eq!(group.server.node_spec.image.as_ref().unwrap().os_family.as_deref(), Some("debian"));
    assert_eq!(group.server.phases.keys().collect::<Vec<_>>(), ["bootstrap", "configure"]);
    check_phase(
        &project,
        "configure",
        expect![[r#"
        action {"action":"directory","arguments":{"path":"/srv"},"options":{},"source":{"file":"pallet.star","line":3,"column":5}}
    "#]],
    );
}

#[test]
fn the_groups_of_a_cluster_are_none_alone() {
    let project = star(
        r#"
web = group_spec("web", count = 3)
inner = cluster_spec("inner", groups = [group_spec("db")])
cluster_spec("shop", groups = [web, inner], count = 2, roles = ["shop"], node_spec = {"location": {"location_id": "eu"}})
other = group_spec("web")
"#,
    )
    .load();
    let seen: Vec<_> = project
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.count, group.server.roles.contains("shop")))
        .collect();
    assert_eq!(
        seen,
        [("shop-web", Some(6), true), ("shop-inner-db", Some(2), true), ("web", None, false)]
    );
}

#[test]
fn two_groups_of_one_name() {
    star("group_spec('web', count = 1)\n\nweb = group_spec(\n    'web',\n)\n").wrong(expect![[
        r#"
        error: there are two groups `web`
         --> pallet.star:3:7
          |
        3 | web = group_spec(
          |       ^^^^^^^^^^^
          = the first one is declared here
         --> pallet.star:1:1
          |
        1 | group_spec('web', count = 1)
          | ----------------------------
          = help: give one of them another name
    "#
    ]]);
}

#[test]
fn declarations_that_contradict_themselves() {
    star("group_spec('We b')").wrong(expect![[r#"
        error: "We b" cannot name a group: use 1 to 50 of a-z, 0-9 and -, not at the ends
         --> pallet.star:1:1
          |
        1 | group_spec('We b')
          | ^^^^^^^^^^^^^^^^^^
    "#]]);
    star(
        "a = server_spec(default_phases = ['x', 'y'])\n\
         b = server_spec(default_phases = ['y', 'x'])\ngroup_spec('web', extends = [a, b])\n",
    )
    .wrong(expect![[r#"
        error: group_spec: the default phases ["x", "y"] and ["y", "x"] are in conflicting orders; give `default_phases` here
         --> pallet.star:3:1
          |
        3 | group_spec('web', extends = [a, b])
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]]);
    star("def f(request, x):\n    pass\n\ngroup_spec('web', phases = {'configure': f})\n").wrong(expect![[r#"
        error: group_spec: the phase `configure`: a phase function takes one argument, the request; f takes more
         --> pallet.star:4:1
          |
        4 | group_spec('web', phases = {'configure': f})
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: wrap it: `lambda request: f(request, ...)`
    "#]]);
    star("group_spec('web', extends = [1])\n").wrong(expect![[r#"
        error: group_spec: `extends` must be a server_spec, or a list of them, not 1
         --> pallet.star:1:1
          |
        1 | group_spec('web', extends = [1])
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]]);
    star("def later():\n    return 'two'\n\ngroup_spec('web', count = json.decode('\"two\"'))\n")
        .wrong(expect![[r#"
        error: group_spec: `count` must be an integer, not the string "two"
         --> pallet.star:4:1
          |
        4 | group_spec('web', count = json.decode('"two"'))
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#]]);
}

#[test]
fn files_share_what_they_declare() {
    let project = Bed::new(&[
        ("pallet.toml", ""),
        ("pallet.star", "load('./lib/base.star', 'base', mk = 'make')\nmk('web')\nmk('db')\n"),
        (
            "lib/base.star",
            "load('lib/words.star', 'word')\ndef run(request):\n    print(word)\n\n\
             base = server_spec(phases = {'configure': run})\n\
             def make(name):\n    return group_spec(name, count = 1, extends = [base])\n",
        ),
        ("lib/words.star", "word = 'hello'\n"),
    ])
    .load();
    assert_eq!(
        project.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(),
        ["web", "db"]
    );
    check_phase(
        &project,
        "configure",
        expect![[r#"
        log {"level":"info","message":"hello"}
    "#]],
    );
}

#[test]
fn groups_whose_nodes_could_not_be_told_apart() {
    star(
        "group_spec(\"web\", count = 1)\ngroup_spec(\"web-1\", count = 1)\n\
         group_spec(\"db-1\")\n",
    )
    .wrong(expect![[r#"
        error: `web-1` is a group, and also the name of node 1 of group `web`
         --> pallet.star:2:1
          |
        2 | group_spec("web-1", count = 1)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = the group is declared here
         --> pallet.star:1:1
          |
        1 | group_spec("web", count = 1)
          | ----------------------------
          = help: give it a name that does not end with a number: `web-a`
    "#]]);
}

#[test]
fn more_nodes_than_a_project_may_have() {
    star("group_spec(\"web\", count = 1000000000)\ngroup_spec(\"db\", count = 1)\n").wrong(expect![[r#"
        error: the groups have 1000000001 nodes, most of them `web` (1000000000), but a project may have 10000
         --> pallet.star:1:1
          |
        1 | group_spec("web", count = 1000000000)
          | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          = help: if this is intended, raise `max_nodes` in [project] of pallet.toml
    "#]]);
}

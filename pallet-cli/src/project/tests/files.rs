//! Tests of project files: missing, unreadable, loading each other, and newly written.

use std::sync::{Arc, Mutex};

use super::bed::{Bed, Crates, star};
use crate::project::{LoadOptions, LoadedProject, init};
use expect_test::expect;
use pallet_core::action::TABLE;

#[test]
fn a_directory_without_a_project() {
    Bed::new(&[]).wrong(expect![[r#"
        error: there is no pallet.toml and no pallet.star in DIR
          = help: `pallet-cli init` creates a project
    "#]]);
    Bed::new(&[("pallet.toml", "")]).wrong(expect![[r#"
        error: there is no pallet.star in DIR
          = help: write one that declares a group: `group_spec("web", count = 1)`
    "#]]);
    Bed::new(&[("pallet.star", "")]).wrong(expect![[r#"
        error: there is no pallet.toml in DIR
          = help: create it; if it is empty, the sandbox provider is used
    "#]]);
}

#[test]
fn a_directory_that_there_is_not() {
    let bed = star("");
    let wrong = |name: &str| {
        let error = LoadedProject::load(&bed.path().join(name), &Crates, LoadOptions::default())
            .unwrap_err()
            .0
            .remove(0);
        error.one_line().replace(&bed.path().display().to_string(), "DIR")
    };
    let help = "set the project directory, which contains pallet.toml";
    assert_eq!(wrong("nope"), format!("there is no directory DIR/nope; {help}"));
    assert_eq!(wrong("pallet.star"), format!("DIR/pallet.star is not a directory; {help}"));
}

#[test]
fn a_project_without_groups_is_odd() {
    star("").wrong(expect![[r#"
        loads; warning: pallet.star declares no group
          = help: declare one: `web = group_spec("web", count = 1)`
    "#]]);
}

#[test]
fn bytes_that_are_no_text() {
    let bed = star("");
    bed.write("pallet.star", b"# caf\xe9\n");
    bed.wrong(expect![[r#"
        error: pallet.star is not UTF-8 text: invalid byte in line 1
          = help: save the file in UTF-8
    "#]]);
    let bed = star("");
    bed.write("pallet.toml", b"\n# caf\xe9\n");
    bed.wrong(expect![[r#"
        error: pallet.toml is not UTF-8 text: invalid byte in line 2
          = help: save the file in UTF-8
    "#]]);
}

#[test]
fn all_files_are_checked_at_once() {
    Bed::new(&[
        ("pallet.toml", "colour = true\n"),
        ("pallet.star", "load(\"lib/web.star\", \"web\", \"wbe\")\n\
            group_spec(\"web\", cont = 1)\n"),
        ("lib/web.star", "def web(request):\n    directory(request)\n"),
    ])
    .wrong(expect![[r#"
        error: unknown key `colour`
         --> pallet.toml:1:1
          |
        1 | colour = true
          | ^^^^^^
          = help: there are default_service, registry, age_identities, secret_ttl, project, services, environment, stages, admin_user, connect, history, secrets, vault, telemetry, on_finish, plugins, trust, sigstore, mirrors

        error: directory: `path` is missing
         --> lib/web.star:2:5
          |
        2 |     directory(request)
          |     ^^^^^^^^^

        error: lib/web.star has no `wbe`
         --> pallet.star:1:29
          |
        1 | load("lib/web.star", "web", "wbe")
          |                             ^^^^^
          = help: did you mean `web`?

        error: group_spec has no parameter `cont`
         --> pallet.star:2:19
          |
        2 | group_spec("web", cont = 1)
          |                   ^^^^
          = help: did you mean `count`?
    "#]]);
}

#[test]
fn crates_that_cannot_be_loaded() {
    star("load(\"@ngnix\", \"nginx\")\nload(\"@zsh\", \"zsh\")\nload(\"@broken\", \"broken\")\n\
        load(\"@nginx\", \"nginz\")\nnginx.x(1)\n")
        .wrong(expect![[r#"
        error: there is no crate `ngnix`
         --> pallet.star:1:6
          |
        1 | load("@ngnix", "nginx")
          |      ^^^^^^^^
          = help: did you mean `nginx`?

        error: there is no crate `zsh`
         --> pallet.star:2:6
          |
        2 | load("@zsh", "zsh")
          |      ^^^^^^
          = help: install it with `pallet-cli install oci://HOST/PATH/crate/zsh`, or by its name if `registry` is set; there are automated-admin-user, broken, nginx

        error: crate `broken` cannot be loaded: it was built for another interface
         --> pallet.star:3:6
          |
        3 | load("@broken", "broken")
          |      ^^^^^^^^^

        error: @nginx has no `nginz`
         --> pallet.star:4:16
          |
        4 | load("@nginx", "nginz")
          |                ^^^^^^^
          = help: did you mean `nginx`?
    "#]]);
}

#[test]
fn files_that_cannot_be_loaded() {
    Bed::new(&[
        ("pallet.toml", ""),
        (
            "pallet.star",
            "load(\"a.star\", \"a\")\nload(\"../up.star\", \"up\")\n\
             load(\"/etc/passwd\", \"x\")\nload(\"no.star\", \"y\")\n",
        ),
        ("a.star", "load(\"b.star\", \"b\")\na = b\n"),
        ("b.star", "load(\"a.star\", \"a\")\nb = 1\n"),
    ])
    .wrong(expect![[r#"
        error: the files load each other in a cycle: a.star -> b.star -> a.star
         --> b.star:1:6
          |
        1 | load("a.star", "a")
          |      ^^^^^^^^

        error: `../up.star` is outside the project
         --> pallet.star:2:6
          |
        2 | load("../up.star", "up")
          |      ^^^^^^^^^^^^
          = help: load "//dir/file.star", relative to the project's directory, or "@crate"

        error: `/etc/passwd` is outside the project
         --> pallet.star:3:6
          |
        3 | load("/etc/passwd", "x")
          |      ^^^^^^^^^^^^^
          = help: load "//dir/file.star", relative to the project's directory, or "@crate"

        error: there is no file no.star in DIR
         --> pallet.star:4:6
          |
        4 | load("no.star", "y")
          |      ^^^^^^^^^
    "#]]);
}

#[test]
fn a_link_out_of_the_project_is_not_followed() {
    let outside = Bed::new(&[("secret.star", "secret = 1\n")]);
    let bed = star("load(\"lib/secret.star\", \"secret\")\n");
    std::os::unix::fs::symlink(outside.path(), bed.path().join("lib")).unwrap();
    bed.wrong(expect![[r#"
        error: `lib/secret.star` is outside the project
         --> pallet.star:1:6
          |
        1 | load("lib/secret.star", "secret")
          |      ^^^^^^^^^^^^^^^^^
          = help: load "//dir/file.star", relative to the project's directory, or "@crate"
    "#]]);
}

#[test]
fn the_first_project() {
    let bed = Bed::new(&[]);
    let directory = bed.path().join("My Shop");
    let written = init(&directory).unwrap();
    assert_eq!(written, [directory.join("pallet.toml"), directory.join("pallet.star")]);
    let loaded = LoadedProject::load(&directory, &Crates, LoadOptions::default());
    if TABLE.iter().any(|entry| entry.name == "remote_file") {
        let project = loaded.unwrap();
        assert_eq!(project.name, "my-shop");
        assert_eq!(
            project
                .groups
                .iter()
                .map(|group| (group.name.as_str(), group.count))
                .collect::<Vec<_>>(),
            [("web", Some(2))]
        );
        assert_eq!(
            project.groups[0].server.phases.keys().collect::<Vec<_>>(),
            ["bootstrap", "configure"]
        );
        assert_eq!(project.warnings.0, []);
    } else {
        assert_eq!(
            loaded.unwrap_err().0.iter().map(|one| one.message.as_str()).collect::<Vec<_>>(),
            ["there is no `remote_file`"]
        );
    }
    let error = init(&directory).unwrap_err();
    assert!(
        error.message.starts_with("pallet.toml and pallet.star already exist in "),
        "{}",
        error.message
    );
    std::fs::remove_file(directory.join("pallet.toml")).unwrap();
    let error = init(&directory).unwrap_err();
    assert!(error.message.starts_with("pallet.star already exists in "), "{}", error.message);
    assert!(!directory.join("pallet.toml").exists());
}

#[test]
fn what_is_wrong_is_data_too() {
    let found =
        star("group_spec(\"web\", cont = 1)\n").load_with(LoadOptions::default()).unwrap_err();
    expect![[r#"
        [
          {
            "severity": "error",
            "message": "group_spec has no parameter `cont`",
            "file": "pallet.star",
            "line": 1,
            "column": 19,
            "length": 4,
            "excerpt": "group_spec(\"web\", cont = 1)",
            "suggestion": "did you mean `count`?"
          }
        ]"#]]
    .assert_eq(&serde_json::to_string_pretty(&found).unwrap());
}

#[test]
fn what_the_top_level_prints_is_handed_on() {
    let printed = Arc::new(Mutex::new(Vec::new()));
    let sink = printed.clone();
    let print = Arc::new(move |text: &str| sink.lock().unwrap().push(text.to_owned()));
    let bed = star("print(\"a\", 1)\ngroup_spec(\"web\")\n");
    bed.load_with(LoadOptions { print: Some(print), ..LoadOptions::default() }).unwrap();
    assert_eq!(*printed.lock().unwrap(), ["a 1"]);
}

#[test]
fn an_error_of_the_top_level_tells_the_way_to_it() {
    star(
        "def check(x):\n    if x > 1:\n        fail(\"too many\")\n\n\
         def all(xs):\n    for x in xs:\n        check(x)\n\nall([1, 2])\n",
    )
    .wrong(expect![[r#"
        error: too many
         --> pallet.star:3:9
          |
        3 |         fail("too many")
          |         ^^^^^^^^^^^^^^^^
          = in check, called at pallet.star:7:9
          = in all, called at pallet.star:9:1
    "#]]);
}

#[test]
fn a_project_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Clone + 'static>(_: &T) {}
    shared(&star("").load());
}

#[test]
fn a_project_is_known_without_its_declarations() {
    let bed = Bed::new(&[
        ("pallet.toml", "[project]\nname = \"shop\"\nmax_nodes = 3\n"),
        ("pallet.star", "this is no Starlark"),
    ]);
    assert!(bed.load_with(LoadOptions::default()).is_err());
    let project = LoadedProject::configured(bed.path(), &LoadOptions::default()).unwrap();
    assert_eq!(
        (project.name.as_str(), project.groups.len(), project.knows_groups),
        ("shop", 0, false)
    );
    assert_eq!(project.config.project.max_nodes, Some(3));
}

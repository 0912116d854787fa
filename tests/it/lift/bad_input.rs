//! Invalid and malicious input.

use std::time::Duration;

use pallet_tests::{Bed, Project};

use super::{APP, project};

#[test]
fn a_typo_in_the_name_of_a_group() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    project.run(&["lift", "apps"]).exits(2).says("apps").says("did you mean `app`");
    bed.ssh(1, "test ! -e /srv/app").exits(0);
}

#[test]
fn a_phase_that_nobody_has() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    project
        .run(&["lift", "--phase", "deploy"])
        .exits(2)
        .says("there is no phase deploy; there are: ");
    bed.ssh(1, "test ! -e /srv/app").exits(0);
}

#[test]
fn an_empty_project() {
    let project = Project::empty();
    for command in ["check", "converge", "lift", "nodes", "down"] {
        project.run(&[command]).exits(2).says("pallet-cli init").never_says("panicked");
    }
    project.write("pallet.toml", "");
    project.write("pallet.star", "");
    project.run(&["check"]).exits(0);
    project.run(&["converge"]).exits(2).says("group_spec");
}

#[test]
fn a_phase_function_that_loops_for_ever() {
    const LOOPS: &str = r##"
def configure(request):
    for a in range(2000000000):
        for b in range(2000000000):
            pass

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", LOOPS).timeout(Duration::from_secs(60));
    let output = project
        .run(&["lift"])
        .says("configure")
        .says("pallet.star")
        .says("does it contain an endless loop");
    assert_ne!(output.code(), 0, "{output}");
}

/// Names that could confuse a shell, a terminal or a protocol.
const NAMES: &[&str] = &[
    "with space",
    "single ' quote",
    "double \" quote",
    "dollar $HOME `id` $(id)",
    "back \\ slash",
    "new\nline",
    "tab\tand\rreturn",
    "ünïcödé 漢字 🦀",
    "-dash",
    "star * ? [a]",
    "semi;colon & pipe | redirect > x",
    "%s %n percent",
    "trailing space ",
];

#[test]
fn file_names_and_content_of_any_characters() {
    const ANY: &str = r##"
NAMES = []

def configure(request):
    directory(request, "/srv/any")
    for name in NAMES:
        remote_file(request, "/srv/any/" + name, content = "content: " + name)

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(1);
    // an array of strings in JSON is a list in Starlark
    let declarations = ANY.replace("[]", &serde_json::to_string(NAMES).unwrap());
    let project = project(&bed, 1, "root", &declarations);
    project.events(&["lift"], 0);
    let count = bed.ssh(1, "find /srv/any -type f -printf x | wc -c").exits(0);
    assert_eq!(count.stdout.trim(), NAMES.len().to_string(), "{count}");
    for name in NAMES {
        let path = format!("/srv/any/{name}").replace('\'', "'\\''");
        let output = bed.ssh(1, &format!("cat '{path}'")).exits(0);
        assert_eq!(output.stdout, format!("content: {name}"), "{name:?}");
    }
    assert_eq!(project.events(&["lift"], 0).changes()["node1"], 0);
}

#[test]
fn a_file_of_50_mb() {
    const LARGE: &str = r##"
def configure(request):
    remote_file(request, "/srv/large", local_file = "large", mode = "0600")

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", LARGE);
    // every byte, and no repetition that compression could hide
    let mut state = 1_u32;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(50_000_000)
    .collect();
    project.write("large", content);
    project.events(&["lift"], 0);
    let here = std::process::Command::new("sha256sum")
        .arg(project.directory().join("large"))
        .output()
        .unwrap();
    let here = String::from_utf8(here.stdout).unwrap();
    let there = bed.ssh(1, "sha256sum /srv/large && stat -c %a /srv/large").exits(0).stdout;
    assert_eq!(here.split(' ').next(), there.split(' ').next());
    assert!(there.ends_with("600\n"), "{there}");

    let again = project.run(&["lift", "--output", "json"]).exits(0);
    assert!(again.took < Duration::from_secs(20), "the content travelled again?\n{again}");
    assert_eq!(pallet_tests::Events::of(&again).changes()["node1"], 0);
}

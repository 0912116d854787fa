//! A failure on one node ends only that node's part.

use std::time::Duration;

use pallet_tests::{Bed, BedOptions, Events, Init};

use super::{APP, is_configured, project};

/// Asserts that `bad` failed with an error that contains one of `words`, and that all other nodes
/// are configured.
#[track_caller]
fn only_one_failed(bed: &Bed, events: &Events, count: usize, bad: usize, words: &[&str]) {
    let name = format!("node{bad}");
    assert!(!events.ok());
    let outcomes = events.outcomes();
    assert_eq!(outcomes.len(), count, "{outcomes:?}");
    assert!(outcomes.iter().all(|(node, ok)| *ok == (*node != name)), "{outcomes:?}");
    let error = events
        .error(&name)
        .unwrap_or_else(|| panic!("{name} has no error: {events:#?}"))
        .to_lowercase();
    assert!(words.iter().any(|word| error.contains(word)), "{error}");
    for node in (1..=count).filter(|node| *node != bad) {
        is_configured(bed, node);
    }
}

#[test]
fn one_node_is_down() {
    let bed = Bed::of(10);
    let project = project(&bed, 10, "root", APP);
    bed.kill(4);
    let events = project.events(&["lift"], 1);
    only_one_failed(&bed, &events, 10, 4, &["nothing listens"]);
    project.run(&["lift"]).exits(1).says("node4").says("nothing listens");

    // when it is back, only it is changed
    bed.start(4);
    let changes = project.events(&["lift"], 0).changes();
    assert!(
        changes.iter().all(|(node, changes)| (*changes > 0) == (node == "node4")),
        "{changes:?}"
    );
    is_configured(&bed, 4);
}

#[test]
fn one_node_hangs() {
    let bed = Bed::of(3);
    let project = project(&bed, 3, "root", APP).timeout(Duration::from_secs(120));
    bed.freeze(2);
    let events = project.events(&["lift"], 1);
    only_one_failed(&bed, &events, 3, 2, &["sends nothing for"]);
    bed.thaw(2);
}

#[test]
fn one_node_has_a_wrong_host_key() {
    let bed = Bed::of(2);
    bed.add(BedOptions { count: 1, init: Init::Sshd, from: 3, other_host_key: true });
    let project = project(&bed, 3, "root", APP);
    let events = project.events(&["lift"], 1);
    only_one_failed(&bed, &events, 3, 3, &["host key"]);
    // nothing was done there
    assert!(!bed.disk(3).join("srv/app").exists());
}

#[test]
fn an_action_that_fails_ends_its_node() {
    const FAILS: &str = r##"
def configure(request):
    directory(request, "/srv/before")
    if request.target.name == "node2":
        exec_checked_script(request, "fails", "echo this is why >&2; exit 7")
    directory(request, "/srv/after")

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(3);
    let project = project(&bed, 3, "root", FAILS);
    let events = project.events(&["lift"], 1);
    assert_eq!(
        events
            .outcomes()
            .into_iter()
            .filter(|(_, ok)| !ok)
            .map(|(node, _)| node)
            .collect::<Vec<_>>(),
        ["node2"]
    );
    bed.ssh(1, "test -d /srv/before -a -d /srv/after").exits(0);
    bed.ssh(2, "test -d /srv/before -a ! -e /srv/after").exits(0);
    project.run(&["lift"]).exits(1).says("node2").says("this is why").says("7");
}

#[test]
fn a_full_disk() {
    const FULL: &str = r##"
def configure(request):
    directory(request, "/srv/fits")
    remote_file(request, "/srv/small/large", local_file = "large")
    directory(request, "/srv/never")

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", FULL);
    project.write("large", vec![b'x'; 5 << 20]);
    project.run(&["lift"]).exits(1).says("/srv/small/large").says("No space left on device");
    // no partial file is left, and all earlier actions are complete
    bed.ssh(1, "test -z \"$(ls -A /srv/small)\" -a -d /srv/fits -a ! -e /srv/never").exits(0);
}

//! `on_failure`: what fails on a node is rescued, or not, and what always runs does.

use pallet_tests::{Bed, Events};

use super::project;

const APP: &str = r##"
def upgrade(request):
    remote_file(request, "/srv/app.conf", content = "new\n")
    exec_script(request, "echo this is why >&2; exit 7", unless = "test -e /srv/works")
    remote_file(request, "/srv/upgraded", content = "yes\n")

def roll_back(request):
    remote_file(request, "/srv/app.conf", content = "old\n")
    exec_script(request, "test ! -e /srv/stuck; echo x >> /srv/rolled-back")

def configure(request):
    on_failure(request, upgrade, then = roll_back, always = lambda request: remote_file(request, "/srv/always", content = "a\n"))
    remote_file(request, "/srv/after", content = "b\n")

app = group_spec("app", phases = {"configure": configure})
"##;

/// The warnings of an operation.
fn warnings(events: &Events) -> Vec<String> {
    events.of_kind("warning").map(|event| event.message().to_owned()).collect()
}

#[test]
fn what_fails_is_rescued_and_the_node_goes_on() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    let planned = project.run(&["lift", "--dry-run"]).exits(0);
    planned.says("exec_script test ! -e /srv/stuck");
    bed.ssh(1, "test ! -e /srv/always").exits(0);

    let events = project.events(&["lift"], 0);
    assert!(events.ok());
    let warned = warnings(&events);
    assert_eq!(
        warned,
        ["exec_script echo this is why >&2; exit 7 failed with exit code 7: this is why; rescued \
          (on_failure)"]
    );
    let seen = bed.ssh(1, "cat /srv/app.conf /srv/rolled-back /srv/always /srv/after; ls /srv");
    let seen = seen.exits(0).stdout;
    assert!(seen.starts_with("old\nx\na\nb\n") && !seen.contains("upgraded"), "{seen}");

    // once it works, nothing is rescued
    bed.ssh(1, "touch /srv/works").exits(0);
    let events = project.events(&["lift"], 0);
    assert_eq!(warnings(&events), Vec::<String>::new());
    bed.ssh(
        1,
        "grep new /srv/app.conf && grep yes /srv/upgraded && test $(wc -l </srv/rolled-back) = 1",
    )
    .exits(0);
    project.run(&["lift"]).exits(0).says("nothing to change on 1 node");
    project.run(&["lift", "--dry-run"]).exits(0).says("nothing to change on 1 node");
}

#[test]
fn a_rescue_that_fails_fails_the_node_and_what_always_runs_did() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    bed.ssh(1, "touch /srv/stuck").exits(0);
    let events = project.events(&["lift"], 1);
    let error = events.error("node1").unwrap();
    for words in ["exit 7 failed with exit code 7", "; and then exec_script test ! -e /srv/stuck"] {
        assert!(error.contains(words), "{error}");
    }
    assert!(events.error("node2").is_none());
    bed.ssh(1, "test -e /srv/always -a ! -e /srv/after -a ! -e /srv/rolled-back").exits(0);
    bed.ssh(2, "test -e /srv/always -a -e /srv/after").exits(0);
    project.run(&["lift"]).exits(1).says("this is why");
}

#[test]
fn without_a_rescue_the_node_fails_last() {
    const ALWAYS: &str = r##"
def stop(request):
    exec_script(request, "echo stopped >> /srv/log")

def work(request):
    exec_script(request, "exit 3")
    exec_script(request, "echo never >> /srv/log")

def configure(request):
    on_failure(request, lambda request: on_failure(request, work, always = stop), always = lambda request: exec_script(request, "echo outer >> /srv/log"))
    exec_script(request, "echo never >> /srv/log")

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", ALWAYS);
    project.run(&["lift"]).exits(1).says("exec_script exit 3 failed with exit code 3");
    assert_eq!(bed.ssh(1, "cat /srv/log").exits(0).stdout, "stopped\nouter\n");
}

#[test]
fn blocks_are_nested_and_keep_flags_and_conditions() {
    const NESTED: &str = r##"
def inner(request):
    remote_file(request, "/srv/inner", content = "1\n", flag_on_change = "inner")
    exec_script(request, "exit 4", flag_on_change = "failed")

def inner_rescue(request):
    plan_when(request, "test -e /srv/none", lambda request: exec_script(request, "echo none >> /srv/log"))
    plan_when(request, "test -e /srv/inner", lambda request: exec_script(request, "echo inner >> /srv/log"))
    exec_script(request, "exit 5")

def outer(request):
    exec_script(request, "echo begun >> /srv/log", unless = "test -e /srv/done")
    plan_when_not(request, "test -e /srv/done", lambda request: on_failure(request, inner, then = inner_rescue))
    exec_script(request, "echo never >> /srv/log", unless = "test -e /srv/done")

def configure(request):
    on_failure(request, outer, then = lambda request: exec_script(request, "echo outer >> /srv/log; touch /srv/done"))
    exec_script(request, "echo flag >> /srv/log", if_flag = "inner")
    exec_script(request, "echo failed >> /srv/log", if_flag = "failed")

app = group_spec("app", phases = {"configure": configure})
"##;
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", NESTED);
    let events = project.events(&["lift"], 0);
    let log = bed.ssh(1, "cat /srv/log").exits(0).stdout;
    assert_eq!(log, "begun\ninner\nouter\nflag\n");
    let warned = warnings(&events);
    assert_eq!(
        warned,
        ["exec_script exit 4 failed with exit code 4; and then exec_script exit 5 failed with \
          exit code 5; rescued (on_failure)"]
    );
    project.run(&["lift"]).exits(0).says("nothing to change on 1 node");
    assert_eq!(bed.ssh(1, "ls /var/lib/pallet/flags").exits(0).stdout, "");
}

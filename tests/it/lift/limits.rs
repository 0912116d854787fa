//! Options of every action: a timeout ends all processes of an action, and errors can be ignored.

use std::time::Duration;

use pallet_tests::{Bed, Event};

use super::project;

const SLOW: &str = r##"
def configure(request):
    remote_file(request, "/srv/before", content = "x\n")
    exec_script(request, "setsid sleep 7701 & (sleep 7702 &); sh -c 'sleep 7703; :' & sleep 7704", timeout = 2)
    remote_file(request, "/srv/after", content = "x\n")

app = group_spec("app", phases = {"configure": configure})
"##;

/// The processes of a node whose command line has this word.
fn running(bed: &Bed, word: &str) -> String {
    // a bracket keeps pgrep from finding its own shell
    bed.ssh(1, &format!("pgrep -fa '[{}]{}'; exit 0", &word[..1], &word[1..])).exits(0).stdout
}

#[test]
fn a_timeout_ends_all_processes_of_the_action_and_the_node() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", SLOW);
    let output = project.run(&["lift"]).exits(1);
    let output = output.says("it ran longer than its timeout of 2 s").says("exec_script");
    assert!(output.took < Duration::from_secs(40), "{output}");
    assert_eq!(running(&bed, "sleep 770"), "");
    bed.ssh(1, "test -e /srv/before -a ! -e /srv/after").exits(0);

    // what ends in time leaves no clock behind
    project.edit("pallet.star", "timeout = 2", "timeout = 7705");
    let all = "setsid sleep 7701 & (sleep 7702 &); sh -c 'sleep 7703; :' & sleep 7704";
    project.edit("pallet.star", all, "true");
    project.run(&["lift"]).exits(0);
    assert_eq!(running(&bed, "sleep 770"), "");
}

#[test]
fn what_is_killed_by_a_stop_of_the_operation_has_no_clock_left() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", SLOW);
    project.edit("pallet.star", "timeout = 2", "timeout = 7705");
    let running_lift = project.start(&["lift"]);
    for _ in 0..200 {
        if !running(&bed, "sleep 7704").is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    running_lift.interrupt();
    running_lift.wait();
    for _ in 0..100 {
        if running(&bed, "sleep 7705").is_empty() && running(&bed, "sleep 7704").is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{}", running(&bed, "sleep 770"));
}

#[test]
fn a_package_transaction_is_completed_and_fails_then() {
    let bed = Bed::of(1);
    let slow = "def configure(request):\n    package(request, \"bed-alpha\", timeout = 1)\n\n\
        app = group_spec(\"app\", phases = {\"configure\": configure})\n";
    let project = project(&bed, 1, "root", slow);
    bed.ssh(
        1,
        "mv /usr/bin/apt-get /usr/bin/apt-get.real; printf '#!/bin/sh\\nsleep 2\\nexec \
         /usr/bin/apt-get.real \"$@\"\\n' >/usr/bin/apt-get; chmod 755 /usr/bin/apt-get",
    )
    .exits(0);
    project.run(&["lift"]).exits(1).says("it ran longer than its timeout of 1 s");
    bed.ssh(1, "test -d /usr/share/bed-alpha").exits(0);
    project.run(&["lift"]).exits(0).says("nothing to change on 1 node");
}

const IGNORED: &str = r##"
def configure(request):
    remote_file(request, "/srv/a", content = "x\n")
    exec_script(request, "mkdir /srv/none/b", creates = "/srv/none/b", ignore_errors = True, flag_on_change = "b")
    exec_script(request, "echo why >&2; exit 9", ignore_errors = True, unless = "test -e /srv/c")
    remote_file(request, "/srv/c", content = "x\n")
    exec_script(request, "touch /srv/flagged", if_flag = "b")

app = group_spec("app", phases = {"configure": configure})
"##;

#[test]
fn an_ignored_error_is_a_warning() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", IGNORED);
    let events = project.events(&["lift"], 0);
    assert!(events.ok());
    let warnings: Vec<_> = events.of_kind("warning").map(Event::message).collect();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    let mkdir = "exec_script mkdir /srv/none/b failed with exit code 1: mkdir: ";
    assert!(warnings[0].starts_with(mkdir), "{warnings:?}");
    assert_eq!(
        warnings[1],
        "exec_script echo why >&2; exit 9 failed with exit code 9: why; ignored (ignore_errors)"
    );
    assert_eq!(events.changes()["node1"], 2);
    bed.ssh(1, "test -e /srv/a -a -e /srv/c -a ! -e /srv/flagged").exits(0);
    // it is tried again
    let again = project.run(&["lift"]).exits(0);
    again.says("mkdir /srv/none/b failed");
    bed.ssh(1, "mkdir /srv/none").exits(0);
    project.run(&["lift"]).exits(0);
    bed.ssh(1, "test -e /srv/none/b -a -e /srv/flagged").exits(0);
    project.run(&["lift"]).exits(0).says("nothing to change on 1 node");
}

#[test]
fn options_that_cannot_be_are_refused() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", "group_spec(\"app\")\n");
    let lift = |inline: &str| project.run(&["lift", "--dry-run", "-e", inline]);
    lift("exec_script(request, \"true\", timeout = 0)").exits(1).says("give at least 1");
    lift("wait_for_port(request, 22, timeout = 0)").exits(1).says("timeout 0 and delay 1");
}

//! Ctrl-C in the middle of a lift, and the lift after it.

use std::time::Duration;

use pallet_tests::{Bed, Events};

use super::project;

const SLOW: &str = r##"
def configure(request):
    remote_file(request, "/srv/first", content = "first\n")
    exec_checked_script(request, "slow", "echo begun > /srv/slow; sleep 30; echo done > /srv/slow", unless = "grep -q done /srv/slow")
    remote_file(request, "/srv/last", content = "last\n")

app = group_spec("app", phases = {"configure": configure})
"##;

#[test]
fn a_lift_after_an_interrupted_one_repairs() {
    let bed = Bed::of(3);
    let project = project(&bed, 3, "root", SLOW);
    let running = project.start(&["lift", "--output", "json"]);
    let begun = || (1..=3).all(|node| bed.ssh(node, "grep -q begun /srv/slow").code() == 0);
    for _ in 0..200 {
        if begun() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    running.interrupt();
    let output = running.wait();
    assert!(output.took < Duration::from_secs(25), "it waited for the nodes\n{output}");
    assert_eq!(output.code(), 130, "{output}");
    let events = Events::of(&output);
    assert!(!events.ok());
    // it said so, and what ran on the nodes does not run on
    for node in 1..=3 {
        bed.ssh(node, "for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -x sleep >/dev/null || exit 0; command sleep 0.3; done; exit 1").exits(0);
        bed.ssh(node, "test ! -e /srv/last").exits(0);
    }

    project.edit("pallet.star", "sleep 30", "sleep 0.1");
    let repaired = project.events(&["lift"], 0);
    assert!(repaired.ok());
    for node in 1..=3 {
        bed.ssh(node, "grep -q first /srv/first && grep -q done /srv/slow && grep -q last /srv/last").exits(0);
    }
    assert_eq!(project.events(&["lift"], 0).changes().values().sum::<usize>(), 0);
}

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
    // it was reported, and nothing keeps running on the nodes
    for node in 1..=3 {
        bed.ssh(
            node,
            "for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -f '[s]leep 30' >/dev/null || exit \
            0; command sleep 0.3; done; exit 1",
        )
        .exits(0);
        bed.ssh(node, "test ! -e /srv/last").exits(0);
    }

    project.edit("pallet.star", "sleep 30", "sleep 0.1");
    let repaired = project.events(&["lift"], 0);
    assert!(repaired.ok());
    for node in 1..=3 {
        bed.ssh(
            node,
            "grep -q first /srv/first && grep -q done /srv/slow && grep -q last /srv/last",
        )
        .exits(0);
    }
    assert_eq!(project.events(&["lift"], 0).changes().values().sum::<usize>(), 0);
}

const FLAGGED: &str = r##"
def configure(request):
    directory(request, "/srv/many")
    for number in range(20):
        remote_file(request, "/srv/many/%d" % number, content = "one %d\n" % number)
    remote_file(request, "/srv/big", content = "one" + "x" * 200000, flag_on_change = "big")
    exec_script(request, "echo begun >> /srv/times; sleep 0.2")
    exec_script(request, "touch /srv/restarted", if_flag = "big")

app = group_spec("app", phases = {"configure": configure})
"##;

/// Temporary files, wherever this project writes.
const LEFT: &str = "find /srv /tmp /var/lib/pallet -name '.pallet*' -o -path \
    '/var/lib/pallet/incoming/*' -o -name '.log.*' -o -name '*.new'";

#[test]
fn fault_24_and_25_after_kills_on_the_node_no_flag_is_lost_and_nothing_is_left() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", FLAGGED);
    for round in 0..12 {
        let wanted = format!("round-{round}-");
        let from = if round == 0 { "one".to_owned() } else { format!("round-{}-", round - 1) };
        let text = std::fs::read_to_string(project.directory().join("pallet.star"))
            .unwrap()
            .replace(&from, &wanted);
        project.write("pallet.star", text);
        bed.ssh(1, "rm -f /srv/restarted /srv/times").exits(0);
        let running = project.start(&["lift"]);
        let killer = format!(
            "for i in $(seq 400); do test -e /var/lib/pallet/temporaries && test -s \
             /var/lib/pallet/temporaries && break; command sleep 0.01; done; command sleep \
             0.{:02}; for p in $(pgrep -x sh); do test \"$p\" = \"$$\" || tr '\\0' ' ' \
             </proc/$p/cmdline | grep -qx 'sh ' && kill -KILL \"$p\"; done; exit 0",
            round * 3 % 25
        );
        bed.ssh(1, &killer);
        let killed = running.wait();
        let changed = bed.ssh(1, &format!("grep -q '{wanted}' /srv/big")).code() == 0;
        let restarted = bed.ssh(1, "test -e /srv/restarted").code() == 0;
        let again = project.run(&["lift"]);
        assert_eq!(again.code(), 0, "{killed}\n{again}");
        let left = bed.ssh(1, LEFT).stdout;
        assert_eq!(left, "", "round {round}: {killed}\n{again}");
        assert!(
            bed.ssh(1, "test -e /srv/restarted").code() == 0,
            "round {round}, {changed} {restarted}: the flag is lost\n{killed}\n{again}"
        );
    }
}

#[test]
fn fault_25_a_run_with_nothing_to_change_removes_what_killed_ones_left() {
    let bed = Bed::of(1);
    let project = project(
        &bed,
        1,
        "root",
        "group_spec(\"app\", phases = \
         {\"configure\": lambda request: remote_file(request, \"/srv/a\", content = \"a\\n\")})\n",
    );
    project.run(&["lift"]).exits(0);
    let leave = "cd /srv; umask 077; mkdir .pallet.pallet-1 .pallet.pallet-1/x; echo half > \
        .pallet.pallet-2; echo up > /var/lib/pallet/incoming/00; \
        printf '/srv/.pallet.pallet-1\\n/srv/.pallet.pallet-2\\n' >/var/lib/pallet/temporaries";
    bed.ssh(1, &format!("mkdir -p /var/lib/pallet/incoming; {leave}")).exits(0);
    // a dry run changes nothing at all
    project.run(&["lift", "--dry-run"]).exits(0);
    assert_ne!(bed.ssh(1, LEFT).stdout, "");
    let output = project.run(&["lift"]).exits(0);
    assert!(output.stdout.contains("nothing to change"), "{output}");
    assert_eq!(bed.ssh(1, LEFT).stdout, "");
}

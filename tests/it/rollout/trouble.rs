//! What goes wrong in the middle of a large change: signals in each wave, a full disk, two people
//! at once, a check that never ends, nodes with another address.

use std::time::Duration;

use pallet_tests::{Bed, BedOptions, Init, Mounted};
use rustix::process::Signal;

use super::{project, text};

const WEB: [(&str, &str); 3] = [("web-1", "web"), ("web-2", "web"), ("web-3", "web")];

const SLOW: &str = r#"
def configure(request):
    exec_script(request, "echo ran >>/srv/first")
    exec_script(request, "sleep 1")
    remote_file(request, "/srv/version", content = str(request.environment.version) + "\n")

group_spec("web", phases = {"configure": configure}, rollout = rollout(waves = "1"))
"#;

/// How often the first script ran on each node.
fn runs(bed: &Bed) -> [usize; 3] {
    [1, 2, 3].map(|node| text(bed, node, "/srv/first").lines().count())
}

fn versions(bed: &Bed) -> [String; 3] {
    [1, 2, 3].map(|node| text(bed, node, "/srv/version").trim().to_owned())
}

#[test]
fn a_signal_in_any_wave_ends_it_there_and_the_rest_can_follow() {
    let bed = Bed::of(3);
    let project = project(&bed, &WEB, SLOW);
    let mut total = 0;
    for (number, signal) in [Signal::TERM, Signal::KILL, Signal::INT].into_iter().enumerate() {
        for wave in 1..=3 {
            let version = format!("version={number}-{wave}");
            // each change is told at once
            let mut lift = project.start(&["lift", "--per-node", "--env", &version]);
            lift.wait_for(&format!("~ web-{wave}: configure: exec_script echo ran"));
            lift.signal(signal);
            let output = lift.wait();
            let shown = format!("{signal:?} in wave {wave}: {output}");
            assert!(signal == Signal::KILL || output.code() == 130, "{shown}");
            // those behind were not touched
            let begun: Vec<_> = runs(&bed).iter().map(|ran| *ran > total).collect();
            assert_eq!(begun, [1, 2, 3].map(|node| node <= wave), "{shown}");
            // reading is possible at any time
            project.run(&["history"]).exits(0);
            project.run(&["lift", "--resume", "--env", &version]).exits(0);
            assert_eq!(versions(&bed), [(); 3].map(|()| format!("{number}-{wave}")), "{shown}");
            total += 1;
            let ran = runs(&bed);
            // the one in which it was killed is observed again, and its script is known to be done
            assert_eq!(ran, [total; 3], "{shown}");
        }
    }
}

#[test]
fn a_disk_that_fills_up_ends_the_operation_before_the_next_change() {
    let bed = Bed::of(3);
    let plain = SLOW.replace("    exec_script(request, \"sleep 1\")\n", "");
    let project = project(&bed, &WEB, &plain);
    let state = project.home().join(".local/state");
    std::fs::create_dir_all(&state).unwrap();
    let lift = |version: &str| project.run(&["lift", "--env", &format!("version={version}")]);
    // not even the first record
    let full = Mounted::tmpfs(&state, "16k");
    let filled = std::fs::write(state.join("other"), vec![0; 1 << 20]);
    filled.expect_err("the disk is full");
    let output = lift("1").exits(1).says("No space left on device").says("--no-journal");
    assert_eq!(runs(&bed), [0; 3], "{output}");
    drop(full);
    // enough for the first records
    let full = Mounted::tmpfs(&state, "4k");
    let output = lift("2").exits(1).says("No space left on device");
    let done = runs(&bed);
    assert!(matches!(done, [_, 0, 0] | [1, 1, 0]), "{done:?}\n{output}");
    drop(full);
    lift("3").exits(0);
    assert_eq!(versions(&bed), ["3"; 3]);
}

#[test]
fn two_at_once_come_one_after_the_other_on_each_node() {
    let bed = Bed::of(3);
    let one = project(&bed, &WEB, SLOW);
    let other = project(&bed, &WEB, SLOW);
    let first = one.start(&["lift", "--env", "version=1"]);
    let second = other.start(&["lift", "--env", "version=2"]);
    let outputs = [first, second].map(|lift| lift.wait().exits(0));
    let [one, other] = &outputs;
    assert_eq!(runs(&bed), [2; 3], "{one}\n{other}");
    let found = versions(&bed);
    assert!(found.iter().all(|version| ["1", "2"].contains(&version.as_str())), "{found:?}");
    let waited = |output: &pallet_tests::Output| {
        format!("{output}").contains("waiting for another operation that is changing this node")
    };
    assert!(outputs.iter().any(waited), "{one}\n{other}");
}

#[test]
fn a_health_check_that_never_ends_is_a_failure() {
    let bed = Bed::of(3);
    let healthy = "def healthy(request):\n    \
        wait_for_command(request, \"sleep 1000\", timeout = 2)\n\ngroup_spec";
    let declarations = SLOW
        .replace("    exec_script(request, \"sleep 1\")\n", "")
        .replace("group_spec", healthy)
        .replace("waves = \"1\"", "waves = \"1\", health = healthy");
    let project = project(&bed, &WEB, &declarations).timeout(Duration::from_secs(60));
    let output = project.run(&["lift", "--env", "version=1"]).exits(1);
    let output = output.says("health check").says("1 failed, 2 not reached");
    assert_eq!(runs(&bed), [1, 0, 0], "{output}");
}

#[test]
fn a_node_with_another_address_is_looked_at_again() {
    let bed = Bed::of(3);
    bed.add(BedOptions { count: 1, init: Init::Sshd, from: 4, other_host_key: false });
    let declarations = r#"
def configure(request):
    remote_file(request, "/srv/version", content = str(request.environment.version) + "\n")
    exec_script(request, "test -e /srv/ready", unless = "test -e /srv/ready")

group_spec("web", phases = {"configure": configure})
"#;
    let project = project(&bed, &WEB, declarations);
    bed.ssh(1, "touch /srv/ready").exits(0);
    bed.ssh(2, "touch /srv/ready").exits(0);
    let version = ["--env", "version=1"];
    let output = project.run(&[&["lift"], &version[..]].concat()).exits(1);
    output.says("web-3 failed").says("2 changed, 1 failed");
    project.edit("pallet.toml", &format!("{:?}", bed.address(2)), &format!("{:?}", bed.address(4)));
    bed.ssh(3, "touch /srv/ready").exits(0);
    bed.ssh(4, "touch /srv/ready").exits(0);
    let resume = [&["lift", "--resume"], &version[..]].concat();
    project.run(&resume).exits(2).says("changed since: pallet.toml");
    let output = project.run(&[&resume[..], &["--resume-anyway"]].concat()).exits(0);
    output.says("already done by the resumed operation: web-1").never_says("web-1, web-2");
    assert_eq!(text(&bed, 4, "/srv/version"), "1\n");
}

//! A service that does not stay up is an error: on nodes with systemd.

use pallet_tests::{Bed, Init, Project};

use super::project;

/// Units in different states; each one is started, whatever happened to the one before.
fn units(bed: &Bed, unit: &str, more: &str) -> Project {
    let declarations = format!(
        "def configure(request):\n    service_script(request, \"pallet-up\", content = \
         {unit:?})\n    service(request, \"pallet-up\"{more})\n\n\
         group_spec(\"app\", phases = {{\"configure\": configure}})\n"
    );
    project(bed, 1, "root", &declarations)
}

#[test]
fn fault_11_a_service_that_does_not_stay_up_fails_its_action() {
    let bed = Bed::with(1, Init::Systemd);
    let fails = |unit: &str, words: &[&str]| {
        // the second run finds it in the same state
        for run in ["first", "second"] {
            let mut output = units(&bed, unit, "")
                .run(&["lift"])
                .exits(1)
                .says("service pallet-up")
                .says("does not stay up");
            for word in words {
                output = output.says(word);
            }
            assert!(!output.stdout.contains("nothing to change"), "{run}: {output}");
        }
        bed.ssh(1, "systemctl stop pallet-up; systemctl reset-failed pallet-up || :").exits(0);
    };
    fails("[Service]\nExecStart=/bin/false\n", &["failed (exit-code)"]);
    fails("[Service]\nExecStart=/bin/sh -c 'echo no luck today; exit 3'\n", &["no luck today"]);
    fails("[Service]\nExecStart=/bin/true\n", &["inactive (success)"]);
    // it restarts again and again
    fails(
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c 'sleep 0.7; exit 1'\n\
        Restart=always\nRestartSec=100ms\n",
        &[],
    );
    fails(
        "[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/false\nRestart=always\n\
        RestartSec=60\n",
        &["activating (exit-code)"],
    );

    // healthy services stay green
    for unit in [
        "[Service]\nExecStart=/bin/sleep 1000\n",
        "[Service]\nType=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes\n",
        "[Service]\nType=forking\nExecStart=/bin/sh -c 'sleep 1000 &'\n",
    ] {
        units(&bed, unit, "").run(&["lift"]).exits(0);
        units(&bed, unit, "").run(&["lift"]).exits(0).says("nothing to change");
        bed.ssh(1, "systemctl stop pallet-up").exits(0);
    }
    // a service that ends later is seen only by commands that wait for it
    let later = "[Service]\nExecStart=/bin/sh -c 'sleep 4; exit 1'\n";
    units(&bed, later, ", min_ready_seconds = 6").run(&["lift"]).exits(1).says("does not stay up");
    units(&bed, later, ", action = \"restart\", min_ready_seconds = 0").run(&["lift"]).exits(0);
}

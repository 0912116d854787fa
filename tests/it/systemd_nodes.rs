//! Sandbox nodes with systemd as their first process.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pallet_tests::{Leftovers, Project, image};
use rustix::process::Signal;
use serde_json::Value;

use crate::quickstart::alone;

const UNITS: &str = r#"
BEAT = """[Unit]
Description=beats
[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""

# what a unit of a careful package asks for
CONFINED = """[Service]
Type=oneshot
RemainAfterExit=yes
DynamicUser=yes
StateDirectory=confined
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
ProtectSystem=strict
ProtectHome=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
SystemCallFilter=@system-service
MemoryMax=100M
ExecStart=/bin/sh -c 'touch /tmp/private /var/lib/confined/done && ! touch /etc/written && test -w /dev/null && test ! -e /dev/tty0'
"""

def configure(request):
    service_script(request, "beat", content = BEAT)
    service(request, "beat", enabled = True)
    service_script(request, "confined", content = CONFINED)
    service(request, "confined", action = "start")

group_spec("unit", count = 2, phases = {"configure": configure})
"#;

/// A project with nodes from an image with systemd.
fn project(star: &str) -> Project {
    let mut project = Project::empty();
    let root = image("bookworm-crates").join("root");
    project.write(
        "pallet.toml",
        format!(
            "default_service = \"here\"\n[project]\nname = \"units\"\n[services.here]\n\
             provider = \"sandbox\"\ninit = \"systemd\"\ntimeout = 90\nimage = {root:?}\n"
        ),
    );
    project.write("pallet.star", star);
    let directory = project.directory();
    project.take_down_at_the_end(&directory);
    project
}

/// The output of a shell command on a node.
#[track_caller]
fn sh(project: &Project, node: &str, command: &str) -> String {
    let output = project.run(&["run", node, "--output", "json", "--", command]).exits(0);
    let events = output.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ran = events.into_iter().find(|event| event["event"] == "ran").unwrap();
    ran["stdout"].as_str().unwrap().trim_end().to_owned()
}

/// The directories of all nodes of the project.
fn directories(project: &Project) -> Vec<PathBuf> {
    let service = project.home().join(".local/share/pallet/sandbox/units/here");
    let entries = fs::read_dir(service).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The control groups that nodes of the project have.
fn groups(project: &Project) -> BTreeSet<PathBuf> {
    let record = |directory: PathBuf| -> Option<Value> {
        serde_json::from_slice(&fs::read(directory.join("node.json")).ok()?).ok()
    };
    let records = directories(project).into_iter().filter_map(record);
    records.filter_map(|node| Some(Path::new(node["cgroup"].as_str()?).to_owned())).collect()
}

/// Stops a node from inside, and waits until it has.
fn power_off(project: &Project, node: &str) {
    // the connection ends with the node, which does not wait for what runs in it
    let began = Instant::now();
    project.run(&["run", node, "--", "systemctl poweroff --force; sleep 300"]);
    assert!(began.elapsed() < Duration::from_secs(60), "it waited for its own time limit, 90 s");
    let end = Instant::now() + Duration::from_secs(20);
    while project.nodes().iter().any(|one| one["name"] == node && one["status"] == "running") {
        assert!(Instant::now() < end, "{node} still runs");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn units_are_managed_and_nothing_is_left_behind() {
    let _alone = alone();
    let project = project(UNITS);
    let before = Leftovers::of(&project);
    project.run(&["converge"]).exits(0).says("2 created, 2 changed");
    assert_eq!(
        sh(&project, "unit-1", "cat /proc/1/comm; systemctl is-system-running"),
        "systemd\nrunning"
    );
    let active = "systemctl is-active beat confined; systemctl is-enabled beat";
    assert_eq!(sh(&project, "unit-2", active), "active\nactive\nenabled");
    assert_eq!(sh(&project, "unit-1", "ls /tmp/private /etc/written 2>/dev/null || :"), "");
    assert_eq!(sh(&project, "unit-1", "tail -n 1 /proc/1/cgroup"), "0::/init.scope");
    // no terminal to log in at, and no console that nobody reads
    assert_eq!(sh(&project, "unit-1", "pgrep getty; ls /dev/console 2>/dev/null || :"), "");
    project.run(&["converge"]).exits(0).says("nothing to change on 2 nodes");
    let groups = groups(&project);
    assert_eq!(groups.len(), 2);
    assert!(groups.iter().all(|group| group.join("system.slice").is_dir()), "{groups:?}");

    // an own machine as far as services go, which starts again on its disk
    let identity = "cat /etc/machine-id; cat /proc/sys/kernel/random/boot_id";
    let first = sh(&project, "unit-1", identity);
    power_off(&project, "unit-1");
    project.run(&["converge"]).exits(0).says("unit-1");
    let second = sh(&project, "unit-1", identity);
    assert_eq!(first.lines().next(), second.lines().next());
    assert_ne!(first.lines().nth(1), second.lines().nth(1));
    assert_ne!(first.lines().next(), sh(&project, "unit-2", identity).lines().next());
    assert_eq!(sh(&project, "unit-1", "systemctl is-active beat"), "active", "it was enabled");

    project.run(&["down", "--yes"]).exits(0).says("2 destroyed");
    for group in groups {
        assert!(!group.exists(), "{}", group.display());
    }
    before.is_all(&project);
}

#[test]
fn a_boot_that_does_not_end_well_says_why() {
    let project = project("group_spec(\"unit\", count = 1, phases = {})\n");
    project.run(&["converge"]).exits(0);
    let at_boot = |lines: &str| {
        let unit = format!(
            "[Service]\\nType=oneshot\\nTimeoutStartSec=infinity\\n\
             {lines}\\n[Install]\\nWantedBy=multi-user.target\\n"
        );
        let write = format!("printf '{unit}' >/etc/systemd/system/odd.service");
        sh(&project, "unit-1", &format!("{write}; systemctl enable odd"));
        power_off(&project, "unit-1");
        project.run(&["converge"]).exits(1)
    };
    // it waits for a unit without end; only here, as a busy machine needs more than 5 s
    project.edit("pallet.toml", "timeout = 90", "timeout = 5");
    at_boot("ExecStart=/bin/sleep infinity")
        .says("node unit-1: its systemd has not booted, it is starting after 5 s: ")
        .says("odd.service");
    let stopped = &project.nodes()[0];
    assert_eq!(stopped["status"], "stopped", "{stopped}");
    project.edit("pallet.toml", "timeout = 5", "timeout = 90");
    // repaired on its disk, as no systemd runs there
    let disk = directories(&project).remove(0).join("disk/0/upper");
    let wanted = disk.join("etc/systemd/system/multi-user.target.wants/odd.service");
    fs::remove_file(&wanted).unwrap();
    project.run(&["converge"]).exits(0);

    at_boot("ExecStart=/bin/systemctl poweroff --force")
        .says("node unit-1: its systemd ended while it booted: ");
    fs::remove_file(&wanted).unwrap();
    project.run(&["converge"]).exits(0);

    // a unit that only fails does not keep a node from booting
    let unit = "[Service]\\nExecStart=/bin/false\\n[Install]\\nWantedBy=multi-user.target\\n";
    let write = format!("printf '{unit}' >/etc/systemd/system/odd.service");
    sh(&project, "unit-1", &format!("{write}; systemctl daemon-reload; systemctl enable odd"));
    power_off(&project, "unit-1");
    project.run(&["converge"]).exits(0);
    assert_eq!(sh(&project, "unit-1", "systemctl is-system-running || :"), "degraded");
    let groups = groups(&project);
    project.run(&["down", "--yes"]).exits(0);
    assert!(groups.iter().all(|group| !group.exists()));
}

#[test]
fn a_converge_that_is_killed_leaves_nothing_that_is_stuck() {
    let project = project("group_spec(\"unit\", count = 2, phases = {})\n");
    for moment in [60, 150, 250, 400, 600] {
        let converge = project.start(&["converge"]);
        std::thread::sleep(Duration::from_millis(moment));
        converge.signal(Signal::KILL);
        converge.wait();
        let mut made = groups(&project);
        project.run(&["converge"]).exits(0);
        made.extend(groups(&project));
        // where a machine is too busy, units may have failed, but systemd has booted
        let state = sh(&project, "unit-2", "systemctl is-system-running || :");
        assert!(["running", "degraded"].contains(&state.as_str()), "{state}");
        project.run(&["down", "--yes"]).exits(0);
        for group in made {
            assert!(!group.exists(), "killed after {moment} ms: {}", group.display());
        }
        assert_eq!(directories(&project), Vec::<PathBuf>::new());
    }
}

#[test]
fn an_image_without_systemd_is_refused() {
    let project = project("group_spec(\"unit\", count = 1, phases = {})\n");
    let root = image("bookworm-crates").join("root");
    project.edit("pallet.toml", &format!("image = {root:?}"), "");
    project.run(&["converge"]).exits(2).says("option `init`: systemd would start the services");
    fs::create_dir_all(project.directory().join("empty/bin")).unwrap();
    fs::write(project.directory().join("empty/bin/sh"), "").unwrap();
    project.edit("pallet.toml", "timeout = 90", "image = \"empty\"");
    let refused = project.run(&["converge"]).exits(2);
    refused.says("option `image`: it has no systemd, which `init` asks for");
}

//! The example programs of pallet-core: each does what it says that it does, and leaves nothing behind.

use std::process::Command;
use std::time::Duration;

use pallet_tests::{Process, workspace};

use crate::quickstart::alone;

/// What an example prints.
fn run(name: &str) -> String {
    let output = Process::start(Command::new(workspace().example(name)), Duration::from_secs(300)).wait();
    output.exits(0).stdout
}

#[test]
fn declaring() {
    assert_eq!(
        run("declare"),
        "shop-app: 3 nodes with bootstrap, settings, by default configure\nshop-lb: 1 nodes with bootstrap, configure, by default configure\n"
    );
}

#[test]
fn converging() {
    let _alone = alone();
    let said = run("converge");
    for line in [
        "converge: 1 changed, 0 unchanged, 0 failed, 1 created",
        "web=2: 1 changed, 1 unchanged, 0 failed, 1 created",
        "lift: 2 changed, 0 unchanged, 0 failed",
        "again: 0 changed, 2 unchanged, 0 failed",
        "down: 0 changed, 0 unchanged, 0 failed, 2 destroyed",
    ] {
        assert!(said.lines().any(|said| said == line), "it should say {line:?}:\n{said}");
    }
}

#[test]
fn subscribing_to_events() {
    let _alone = alone();
    let said = run("events");
    for text in
        ["web-1: directory /srv/events\n", "web-1 says \"from the node\"\n", "\"result\":\"changed\",\"changes\":2", "\n2 changes\n"]
    {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
}

#[test]
fn a_dry_run() {
    let _alone = alone();
    let said = run("dry_run");
    assert!(said.starts_with("would create web-1, web-2\n") && said.ends_with("0 nodes are there\n"), "{said}");
    for text in ["web-1: directory /srv/hello: ensure directory\n", "web-2: remote_file /srv/hello/index.html: ensure file\n"] {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
}

#[test]
fn a_provider_in_the_program() {
    let said = run("provider");
    assert_eq!(said, "web-1: I am web-1\nweb-2: I am web-2\n0 nodes are left\n");
}

#[test]
fn an_action_of_the_programs_own() {
    let _alone = alone();
    let said = run("action");
    for text in [
        "web-1: changed: purpose to try things: set\n",
        "first: 1 changed, 0 unchanged, 0 failed",
        "again: 0 changed, 1 unchanged, 0 failed",
    ] {
        assert!(said.contains(text), "it should say {text:?}:\n{said}");
    }
}

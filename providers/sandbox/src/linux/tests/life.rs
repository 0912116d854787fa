//! The life of nodes: stopped and started, interrupted, created by several processes at once,
//! destroyed.

use std::collections::BTreeMap;
use std::fs;
use std::thread;

use pallet_core::prelude::*;

use super::bed::{Bed, made, run, script, sh, wish};
use crate::linux::sandbox::Sandbox;

#[test]
fn a_node_whose_processes_died_starts_again_on_its_disk() {
    let Some(bed) = Bed::new(21) else { return };
    let node = bed.run(&["web-1"]).remove(0);
    bed.sandbox
        .tag_node(&node.id, &BTreeMap::from([("bootstrapped".to_owned(), "true".to_owned())]))
        .unwrap();
    sh(
        &node,
        "echo kept > /srv/file; echo 127.0.0.1 localhost > /etc/hosts; rm /etc/resolv.conf; \
        ln -s /srv/file /etc/resolv.conf",
    );
    let process = bed.process("web-1");
    process.kill().unwrap();
    process.wait().unwrap();
    let stopped = bed.sandbox.nodes().unwrap().remove(0);
    assert_eq!(stopped.status, NodeStatus::Stopped);
    assert!(!script(&stopped, "true").status.success());
    let again = bed.run(&["web-1"]).remove(0);
    assert_eq!(
        (again.status, &again.id, &again.address),
        (NodeStatus::Running, &node.id, &node.address)
    );
    assert_eq!(again.tags.get("bootstrapped").map(String::as_str), Some("true"));
    assert_eq!(sh(&again, "cat /srv/file; hostname"), "kept\nweb-1");
    assert!(sh(&again, "cat /etc/hosts").contains(" web-1"));
    // a running node is left as it is
    let unchanged = bed.run(&["web-1"]).remove(0);
    assert_eq!(unchanged, again);
    bed.down();
}

#[test]
fn what_exists_starts_where_nothing_new_can_be_made_and_new_nodes_have_their_tags() {
    let Some(bed) = Bed::new(28) else { return };
    let mut wanted = wish("web", &["web-1"]);
    wanted.spec.tags = BTreeMap::from([("team".to_owned(), "shop".to_owned())]);
    let node = made(bed.sandbox.run_nodes(&wanted).unwrap().remove(0)).unwrap();
    assert_eq!(node.tags["team"], "shop");
    let process = bed.process("web-1");
    process.kill().unwrap();
    process.wait().unwrap();
    let gone = Image {
        id: "gone".into(),
        name: String::new(),
        os: None,
        login_user: None,
        min_disk: None,
    };
    let both =
        RunNodes { image: Some(gone), names: vec!["web-1".into(), "web-2".into()], ..wanted };
    let outcomes = bed.sandbox.run_nodes(&both).unwrap();
    assert!(
        matches!(
            &outcomes[0], Created::Node(again) if again.id == node.id && again.tags == node.tags
        ),
        "{outcomes:?}"
    );
    assert!(
        matches!(&outcomes[1], Created::Failed(error) if error.to_string().contains("no image \
        `gone`")),
        "{outcomes:?}"
    );
    bed.down();
}

#[test]
fn after_a_reboot_nodes_are_stopped_and_not_stuck() {
    let Some(bed) = Bed::new(22) else { return };
    let nodes = bed.run(&["web-1", "web-2"]);
    for name in ["web-1", "web-2"] {
        // the state after a reboot: no process, and a pid that belongs to another one
        let mut record = bed.record(name);
        let process = record.process.unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
        record.boot_id = "before".into();
        record.process = crate::linux::process::Process::now(std::process::id());
        fs::write(bed.node_directory(name).join("node.json"), serde_json::to_vec(&record).unwrap())
            .unwrap();
    }
    assert!(bed.sandbox.nodes().unwrap().iter().all(|node| node.status == NodeStatus::Stopped));
    bed.sandbox.destroy_nodes(&[nodes[0].id.clone()]).unwrap();
    assert_eq!(bed.run(&["web-2"])[0].id, nodes[1].id);
    assert_eq!(bed.sandbox.nodes().unwrap().len(), 1);
    bed.down();
}

#[test]
fn what_an_interrupted_creation_left_is_cleaned() {
    let Some(bed) = Bed::new(23) else { return };
    bed.run(&["web-1", "web-2"]);
    // killed before the first file was written, and before the end
    fs::create_dir(bed.node_directory("web-3")).unwrap();
    let mut record = bed.record("web-2");
    record.process.unwrap().kill().unwrap();
    record.complete = false;
    fs::write(bed.node_directory("web-2").join("node.json"), serde_json::to_vec(&record).unwrap())
        .unwrap();
    let names: Vec<_> = bed.sandbox.nodes().unwrap().into_iter().map(|node| node.name).collect();
    assert_eq!(names, ["web-1"]);
    assert!(!bed.node_directory("web-2").exists() && !bed.node_directory("web-3").exists());
    assert_eq!(bed.run(&["web-2", "web-3"]).len(), 2);
    bed.down();
}

#[test]
fn several_at_once_make_each_node_once() {
    let Some(bed) = Bed::new(24) else { return };
    let services: Vec<Sandbox> = (0..3).map(|_| bed.of_project("shop")).collect();
    let nodes: Vec<Vec<Node>> = thread::scope(|scope| {
        let threads: Vec<_> = services
            .iter()
            .map(|service| scope.spawn(|| run(service, &["web-1", "web-2"])))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread.join().unwrap().into_iter().map(|node| made(node).unwrap()).collect()
            })
            .collect()
    });
    assert_eq!(nodes[0], nodes[1]);
    assert_eq!(nodes[1], nodes[2]);
    assert_eq!(bed.links().len(), 3);
    bed.down();
}

#[test]
fn the_newest_can_be_told() {
    let Some(bed) = Bed::new(27) else { return };
    // not in the order of names, faster than the clock, and with a clock that was set back
    let first = bed.run(&["web-2"]).remove(0);
    let second = bed.run(&["web-1", "web-3"]);
    let mut ahead = bed.record("web-3");
    ahead.created += 100_000;
    bed.sandbox.store.save(&ahead).unwrap();
    let third = bed.run(&["web-4", "web-1"]);
    assert!(first.created < second[0].created && second[0].created == second[1].created);
    assert_eq!(third[0].created, ahead.created + 1);
    assert_eq!(third[1].created, second[0].created, "it was there");
    let other = made(bed.sandbox.run_nodes(&wish("db", &["db-1"])).unwrap().remove(0)).unwrap();
    assert!(other.created < ahead.created, "another group has an order of its own");
    bed.down();
}

#[test]
fn a_wish_that_cannot_be_fulfilled_names_the_node() {
    let Some(bed) = Bed::new(25) else { return };
    bed.run(&["web-1"]);
    let created = bed.sandbox.run_nodes(&wish("db", &["web-1", "Web_2", "db-1", "db-1"])).unwrap();
    let outcomes: Vec<_> = created.into_iter().map(made).collect();
    let error = |at: usize| outcomes[at].as_ref().unwrap_err();
    assert!(error(0).to_string().contains("it exists, in group web"), "{}", error(0));
    assert!(error(1).to_string().contains("cannot be a host name"), "{}", error(1));
    assert_eq!(outcomes[2].as_ref().unwrap().name, "db-1");
    assert_eq!(error(3).kind, ErrorKind::InvalidInput);
    bed.sandbox.destroy_nodes(&["unknown".to_owned()]).unwrap();
    bed.down();
}

#[test]
fn another_project_of_the_same_name_is_refused() {
    let Some(bed) = Bed::new(26) else { return };
    let other = bed.directory().join("other");
    fs::create_dir(&other).unwrap();
    for directory in [&bed.context.directory, &other] {
        fs::write(directory.join("pallet.toml"), "").unwrap();
    }
    let other =
        ServiceContext { directory: other, service: "elsewhere".into(), ..bed.context.clone() };
    let other = Sandbox::connect(bed.options.clone(), other).unwrap();
    assert_eq!(other.nodes().unwrap(), vec![]);
    other.clean_up().unwrap();
    let node = bed.run(&["web-1"]).remove(0);
    let tags = BTreeMap::from([("mine".to_owned(), "now".to_owned())]);
    let refusals = [
        other.nodes().map(drop),
        other.run_nodes(&wish("web", &["web-1", "web-2"])).map(drop),
        other.destroy_nodes(std::slice::from_ref(&node.id)),
        other.tag_node(&node.id, &tags),
        other.clean_up(),
    ];
    for refusal in refusals {
        let error = PluginError::from(refusal.unwrap_err());
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(
            error.message.contains(&*bed.context.directory.to_string_lossy())
                && error.help.contains("`name`"),
            "{error}"
        );
    }
    let program = ServiceContext { directory: Default::default(), ..bed.context.clone() };
    let program = Sandbox::connect(bed.options.clone(), program).unwrap();
    assert_eq!(program.nodes().unwrap(), bed.sandbox.nodes().unwrap());

    // the first project has been moved, so the one in the other directory now owns the nodes
    let moved = ServiceContext { directory: bed.directory().join("other"), ..bed.context.clone() };
    let moved = Sandbox::connect(bed.options.clone(), moved).unwrap();
    fs::remove_file(bed.context.directory.join("pallet.toml")).unwrap();
    assert_eq!(moved.nodes().unwrap(), [node]);
    assert_eq!(run(&moved, &["web-2"]).len(), 1);
    fs::write(bed.context.directory.join("pallet.toml"), "").unwrap();
    assert!(bed.sandbox.nodes().is_err());
    let ids: Vec<_> = moved.nodes().unwrap().into_iter().map(|node| node.id).collect();
    moved.destroy_nodes(&ids).unwrap();
    // without nodes, the name is free again
    assert_eq!(bed.sandbox.nodes().unwrap(), vec![]);
    bed.down();
}

#[test]
fn a_wrong_option_is_refused_when_the_service_is_made() {
    let context = ServiceContext { directory: "/".into(), ..Default::default() };
    for (option, value) in [
        ("network", json!("x")),
        ("bridge", json!("a b")),
        ("image", json!("/nope")),
        ("images", json!({ "a": "/nope" })),
    ] {
        let options = serde_json::from_value(json!({ option: value })).unwrap();
        let Err(error) = Sandbox::connect(options, context.clone()) else {
            panic!("{option} was taken")
        };
        let error = PluginError::from(error);
        assert_eq!(error.kind, ErrorKind::InvalidInput);
        assert!(error.message.starts_with(&format!("option `{option}")), "{error}");
    }
}

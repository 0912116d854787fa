//! A node at a distance of 100 ms each way: what counts is the number of round trips of a lift.

use std::fmt::Write;
use std::time::{Duration, Instant};

use pallet_tests::{Bed, Project, SlowNetwork, Slowness};

use super::{APP, is_configured, project};

/// Round trips of a connection: TCP 1, greetings and algorithms 1, key exchange 1, service 1, login
/// 2 (whether the key is accepted, and its signature), channel 1, start of the shell 1; script with
/// its answer 1.
const NOTHING_TO_CHANGE: u32 = 9;

/// The first node of the bed, with a slow network.
fn far_away(bed: &Bed, network: &SlowNetwork) -> Project {
    let project = project(bed, 1, "root", APP);
    let mut config = String::new();
    let (address, port) = (bed.address(1), network.port());
    // a condition that only OpenSSH itself can tell
    writeln!(
        config,
        "Match originalhost {address} exec \"test %h = {address}\"\n\
        HostName 127.0.0.1\nPort {port}\nHostKeyAlias {address}"
    )
    .unwrap();
    std::fs::write(project.home().join(".ssh/config"), config).unwrap();
    project
}

#[test]
fn a_lift_waits_for_few_round_trips() {
    let bed = Bed::of(1);
    let network =
        SlowNetwork::before(&bed, 1, Slowness { delay: Duration::from_millis(100), loss: 0 });
    let project = far_away(&bed, &network);
    let lift = || {
        let started = Instant::now();
        let changes = project.events(&["lift"], 0).changes()["node1"];
        let trips = network.round_trips();
        println!("{changes} changes: {trips:?} round trips, {:?}", started.elapsed());
        (changes, trips)
    };
    let (changes, first) = lift();
    assert_eq!((changes, first.len()), (7, 1));
    is_configured(&bed, 1);
    // what the first lift learned about the node is cached
    assert_eq!(lift(), (0, vec![NOTHING_TO_CHANGE]));
    assert!(first[0] <= NOTHING_TO_CHANGE + 8, "{first:?}");
}

#[test]
fn loss_slows_a_lift_down_and_no_more() {
    let bed = Bed::of(1);
    let network =
        SlowNetwork::before(&bed, 1, Slowness { delay: Duration::from_millis(100), loss: 4 });
    let project = far_away(&bed, &network);
    assert_eq!(project.events(&["lift"], 0).changes()["node1"], 7);
    is_configured(&bed, 1);
    let started = Instant::now();
    assert_eq!(project.events(&["lift"], 0).changes()["node1"], 0);
    println!("nothing to change: {:?}", started.elapsed());
    assert_eq!(network.round_trips().len(), 2);
}

//! Converge before a provider in this program: which nodes come and go, who may do it, and what a
//! dry run says of nodes that are not there yet.
#![cfg(feature = "host")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod common;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pallet_core::engine::{
    ConvergePlan, Engine, EngineConfig, EngineError, Event, GroupSpec, Holder, LiftOptions,
    NodeChanges, NodeResult, Outcome, ServerSpec,
};
use pallet_core::prelude::*;

use common::{Cloud, os};

struct Bench {
    engine: Engine,
    cloud: Cloud,
    events: Arc<Mutex<Vec<Event>>>,
}

fn bench() -> Bench {
    let cloud = Cloud::default();
    cloud.state().offers = true;
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let engine = Engine::new(EngineConfig {
        holder: Holder { name: "a test".into(), machine: "here".into() },
        ..EngineConfig::new("test", Arc::new(cloud.clone()))
    });
    let engine = engine.on_event(move |event| told.lock().unwrap().push(event.clone()));
    Bench { engine, cloud, events }
}

impl Bench {
    async fn converge(
        &self,
        group: &[GroupSpec],
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        Ok(self.engine.converge(group, options, |_| Ok(true)).await?.unwrap())
    }

    async fn apply(&self, group: &[GroupSpec]) -> Outcome {
        self.converge(group, &LiftOptions::default()).await.unwrap()
    }
}

fn group(count: u32, server: ServerSpec) -> [GroupSpec; 1] {
    [GroupSpec::new("web", Some(count), server).unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_is_told_what_was_chosen() {
    let bench = bench();
    let mut server = ServerSpec::new();
    server.node_spec.image =
        Some(ImageSpec { os_version: Some("11".into()), ..ImageSpec::default() });
    server.node_spec.hardware =
        Some(HardwareSpec { min_cores: Some(2), ..HardwareSpec::default() });
    assert!(bench.apply(&group(1, server.clone())).await.ok());
    let asked = bench.cloud.state().asked.remove(0);
    assert_eq!(
        (asked.image.unwrap().id, asked.hardware.unwrap().id),
        ("deb-11".into(), "big".into())
    );

    server.node_spec.hardware =
        Some(HardwareSpec { min_cores: Some(64), ..HardwareSpec::default() });
    let outcome = bench.apply(&group(2, server)).await;
    assert_eq!(outcome.counts(), (0, 1, 1), "{outcome:?}");
    let NodeResult::Failed { error, .. } = &outcome.nodes[1].result else { panic!("{outcome:?}") };
    assert!(
        error.message.contains("no hardware satisfies")
            && error.message.contains("min_cores is 64"),
        "{error:?}"
    );
    let asked: Vec<_> =
        bench.cloud.state().asked.drain(..).map(|asked| (asked.group, asked.names.len())).collect();
    assert_eq!(
        asked,
        [("web".to_owned(), 0)],
        "nothing is asked for that cannot be, but for what its nodes share"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_well_goes_first_and_then_the_newest() {
    let bench = bench();
    bench.apply(&group(5, ServerSpec::new())).await;
    bench.cloud.state().nodes.get_mut("web-2").unwrap().status = NodeStatus::Failed;
    let plan = bench
        .engine
        .plan_converge(&group(3, ServerSpec::new()), &NodeChanges::default())
        .await
        .unwrap();
    let doomed: Vec<_> = plan.destroy.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(doomed, ["web-5", "web-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_starting_is_well_and_waited_for() {
    let bench = bench();
    bench.apply(&group(3, ServerSpec::new())).await;
    bench.cloud.state().nodes.get_mut("web-1").unwrap().status = NodeStatus::Starting;
    let plan = bench
        .engine
        .plan_converge(&group(2, ServerSpec::new()), &NodeChanges::default())
        .await
        .unwrap();
    assert_eq!(
        plan.destroy.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(),
        ["web-3"],
        "the newest"
    );
    let lifted =
        bench.engine.lift(&group(3, ServerSpec::new()), &LiftOptions::default()).await.unwrap();
    assert_eq!(lifted.counts(), (0, 2, 1), "{lifted:?}");
    let NodeResult::Failed { error, .. } = &lifted.nodes[0].result else { panic!("{lifted:?}") };
    assert!(error.message.contains("still starting; converge waits"), "{error:?}");

    bench.cloud.state().asked.clear();
    let outcome = bench.apply(&group(3, ServerSpec::new())).await;
    assert_eq!((outcome.counts(), outcome.created.len()), ((0, 3, 0), 0), "{outcome:?}");
    assert_eq!(bench.cloud.state().asked[0].names, ["web-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_is_started_also_where_nothing_can_be_made() {
    let bench = bench();
    bench.apply(&group(2, ServerSpec::new())).await;
    bench.cloud.state().nodes.get_mut("web-2").unwrap().status = NodeStatus::Stopped;
    bench.cloud.state().asked.clear();
    let mut server = ServerSpec::new();
    server.node_spec.hardware =
        Some(HardwareSpec { min_cores: Some(64), ..HardwareSpec::default() });
    let outcome = bench.apply(&group(3, server)).await;
    assert_eq!(outcome.counts(), (0, 2, 1), "{outcome:?}");
    let NodeResult::Failed { error, .. } = &outcome.nodes[2].result else { panic!("{outcome:?}") };
    assert!(error.message.contains("no hardware satisfies"), "{error:?}");
    let asked = bench.cloud.state().asked.clone();
    assert_eq!(
        asked.iter().map(|asked| (asked.names.clone(), asked.image.is_some())).collect::<Vec<_>>(),
        [(vec!["web-2".to_owned()], false)]
    );
    assert_eq!(bench.cloud.state().nodes["web-2"].status, NodeStatus::Running);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_agreed_to_is_what_is_done() {
    let bench = bench();
    bench.apply(&group(3, ServerSpec::new())).await;
    // while somebody thinks, nobody else changes the nodes
    let slow = |plan: &mut ConvergePlan| {
        assert_eq!(
            plan.destroy.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(),
            ["web-2", "web-3"]
        );
        let held = bench.cloud.state().lease.clone().unwrap();
        let other = Lease { token: "other".into(), ..Lease::default() };
        assert_eq!(bench.cloud.take_lease(&other).unwrap(), Some(held));
        Ok(false)
    };
    let options = LiftOptions::default();
    assert!(
        bench
            .engine
            .converge(&group(1, ServerSpec::new()), &options, slow)
            .await
            .unwrap()
            .is_none()
    );
    assert!(
        bench.engine.down(&[], &options, |nodes| Ok(nodes.len() != 3)).await.unwrap().is_none()
    );
    let refused =
        bench.engine.down(&[], &options, |_| Err(EngineError::Refused("no".into()))).await;
    assert!(matches!(refused, Err(EngineError::Refused(_))));
    let state = bench.cloud.state();
    assert_eq!(
        (state.nodes.len(), state.lease.clone()),
        (3, None),
        "nothing was done, and the lease is given back"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_never_answers_is_destroyed_and_reported() {
    let mut bench = bench();
    bench.engine = bench.engine.with(EngineConfig {
        boot_timeout: Duration::from_secs(2),
        ..bench.engine.config().clone()
    });
    bench.apply(&group(1, ServerSpec::new())).await;
    bench.cloud.state().silent = true;
    let outcome = bench.apply(&group(3, ServerSpec::new())).await;
    assert_eq!(outcome.counts(), (0, 1, 2), "{outcome:?}");
    let NodeResult::Failed { error, .. } = &outcome.nodes[2].result else { panic!("{outcome:?}") };
    assert!(
        error.message.contains("did not answer within 2 s")
            && error.message.contains("was destroyed"),
        "{error:?}"
    );
    assert!(outcome.created.is_empty());
    assert_eq!(bench.cloud.state().nodes.keys().collect::<Vec<_>>(), ["web-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_on_a_node_overrides_what_its_provider_says() {
    let bench = bench();
    let systems = Arc::new(Mutex::new(Vec::new()));
    let seen = systems.clone();
    let server = ServerSpec::new().phase("configure", move |request: &mut Request| {
        seen.lock().unwrap().push(request.target()?.os.id);
        Ok(())
    });
    bench.apply(&group(1, server.clone())).await;
    bench.cloud.state().nodes.get_mut("web-1").unwrap().os = Some(os("plan9", "4"));
    bench.apply(&group(1, server)).await;
    assert!(systems.lock().unwrap().iter().all(|system| system != "plan9"), "{systems:?}");
    let warned = |event: &Event| {
        matches!(
            event,
            Event::Warning {
                node: Some(node), message,
            } if node == "web-1" && message.contains("its provider reports plan9 4")
        )
    };
    assert!(bench.events.lock().unwrap().iter().any(warned));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_converge_is_refused_while_one_runs() {
    let bench = bench();
    let other = Lease {
        token: "other".into(),
        holder: "ops on build-7".into(),
        machine: "elsewhere".into(),
        process: 1,
        until: u64::MAX,
    };
    bench.cloud.state().lease = Some(other.clone());
    let error =
        bench.converge(&group(1, ServerSpec::new()), &LiftOptions::default()).await.unwrap_err();
    assert!(
        matches!(&error, EngineError::Leased { holder, .. } if holder == "ops on build-7"),
        "{error}"
    );
    assert!(bench.cloud.state().nodes.is_empty());
    // a dry run disturbs nobody
    let dry = LiftOptions { dry_run: true, ..LiftOptions::default() };
    assert!(bench.converge(&group(1, ServerSpec::new()), &dry).await.unwrap().ok());

    // its process was of this machine, and is no more
    let mut gone = std::process::Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    bench.cloud.state().lease = Some(Lease { machine: "here".into(), process: gone.id(), ..other });
    assert!(bench.apply(&group(1, ServerSpec::new())).await.ok());
    assert_eq!(bench.cloud.state().lease, None, "it is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_has_phases_of_its_own_at_the_zero_boundary() {
    let bench = bench();
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("log").display().to_string();
    let say = |what: &'static str| {
        let log = log.clone();
        move |request: &mut Request| {
            let name = request.target()?.name;
            request.add(ExecScript::new(format!("echo {what} {name} >> {log}")))
        }
    };
    let server = ServerSpec::new()
        .phase("create-group", say("create"))
        .phase("configure", say("configure"))
        .phase("destroy-server", say("leave"))
        .phase("destroy-group", say("destroy"));
    for count in [1, 1, 0, 0] {
        let outcome = bench.apply(&group(count, server.clone())).await;
        assert!(outcome.ok(), "{outcome:?}");
    }
    let said = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        said.lines().collect::<Vec<_>>(),
        ["create web", "configure web-1", "configure web-1", "leave web-1", "destroy web"]
    );

    let broken = server
        .phase("create-group", |request: &mut Request| request.add(ExecScript::new("exit 3")));
    let outcome = bench.apply(&group(1, broken)).await;
    assert_eq!(outcome.counts(), (0, 0, 1), "{outcome:?}");
    assert_eq!(outcome.nodes[0].node, "web");
    assert!(
        bench.cloud.state().nodes.is_empty(),
        "nothing is made for a group that could not begin"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_plans_new_nodes_against_a_predicted_image() {
    let bench = bench();
    let server = ServerSpec::new().phase("configure", |request: &mut Request| {
        request.add(Package::install("nginx"))?;
        request.add(User::new("app"))?;
        request.add(Directory::at("/srv/app"))
    });
    let dry = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let outcome = bench.converge(&group(1, server), &dry).await.unwrap();
    assert!(
        outcome.ok() && outcome.created == ["web-1"] && outcome.nodes.is_empty(),
        "{outcome:?}"
    );
    assert!(bench.cloud.state().nodes.is_empty());
    let events = bench.events.lock().unwrap();
    let why = events.iter().find_map(|event| match event {
        Event::Creating { image: Some(image), hardware: Some(hardware), why, .. } => {
            Some((image.clone(), hardware.clone(), why.clone()))
        }
        _ => None,
    });
    let (image, hardware, why) = why.unwrap();
    assert_eq!((image.as_str(), hardware.as_str()), ("deb-12", "small"));
    assert!(
        why[1].starts_with("hardware small: 1 core, 1024 MiB (the best of 2 that fit"),
        "{why:?}"
    );
    let planned: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Planned(change) => Some((
                change.predicted,
                change.action.as_str(),
                change.certainty.map(|certainty| format!("{certainty:?}")),
            )),
            _ => None,
        })
        .collect();
    let may_or_will = |word: &str| Some(word.to_owned());
    assert_eq!(planned[0], (true, "package", may_or_will("Will")));
    assert_eq!(planned[2], (true, "directory", may_or_will("May")));
}

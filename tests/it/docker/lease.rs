//! The lease of a project's nodes, stored in the engine: it applies to everyone who can reach the
//! engine.

use std::sync::{Arc, Barrier};
use std::time::{SystemTime, UNIX_EPOCH};

use pallet_core::plugin::{Lease, ServiceContext};
use pallet_core::plugins::Registry;
use pallet_tests::{ContainerEngine, workspace};
use serde_json::{Map, json};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn lease(token: &str, seconds: u64) -> Lease {
    Lease {
        token: token.to_owned(),
        holder: format!("{token} on here"),
        until: now() + seconds,
        ..Lease::default()
    }
}

fn keeps_the_law(engine: &str) {
    let engine = ContainerEngine::start(engine);
    let plugin = workspace()
        .plugins()
        .find(|artifact| artifact.package.ends_with("providers/docker"))
        .unwrap();
    let registry = Registry::scan(&[plugin.file.parent().unwrap().to_owned()]);
    let service = || {
        let options = Map::from_iter([("host".to_owned(), json!(engine.host()))]);
        registry
            .service(
                "docker",
                options,
                ServiceContext { project: "shop".into(), ..Default::default() },
            )
            .unwrap()
    };
    let one = service();
    assert_eq!(one.take_lease(&lease("a", 100)).unwrap(), None);
    assert_eq!(one.take_lease(&lease("a", 200)).unwrap(), None, "renewed");
    let other = service().take_lease(&lease("b", 100)).unwrap().unwrap();
    assert_eq!((other.token.as_str(), other.holder.as_str()), ("a", "a on here"));
    assert!(other.until > now() + 150, "the renewal counts");
    service().release_lease("b").unwrap();
    assert!(
        service().take_lease(&lease("b", 100)).unwrap().is_some(),
        "only who has it gives it back"
    );
    one.release_lease("a").unwrap();
    assert_eq!(service().take_lease(&Lease { until: now() - 1, ..lease("b", 0) }).unwrap(), None);

    // expired, and many want it at the same time: exactly one gets it
    let start = Arc::new(Barrier::new(6));
    let takers: Vec<_> = (0..6)
        .map(|number| {
            let (service, start) = (service(), start.clone());
            std::thread::spawn(move || {
                start.wait();
                service.take_lease(&lease(&format!("taker-{number}"), 100)).unwrap()
            })
        })
        .collect();
    let outcomes: Vec<_> = takers.into_iter().map(|taker| taker.join().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|other| other.is_none()).count(), 1, "{outcomes:?}");
    let winner = format!("taker-{}", outcomes.iter().position(Option::is_none).unwrap());
    assert!(outcomes.iter().flatten().all(|other| other.token == winner), "{winner}: {outcomes:?}");
    service().release_lease(&winner).unwrap();
    let volumes = engine.client(&["volume", "ls", "-q"]).exits(0).stdout;
    assert_eq!(volumes.trim(), "", "nothing is left");
}

#[test]
fn at_docker() {
    keeps_the_law("docker");
}

#[test]
fn at_podman() {
    keeps_the_law("podman");
}

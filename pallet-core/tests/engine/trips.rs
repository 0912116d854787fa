//! How often a node is asked.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn of_nodes_that_were_never_seen_one_a_group_is_asked_what_it_is() {
    let bench = bench();
    let base = bench.path("");
    let web = group(
        "web",
        4,
        ServerSpec::new().phase("configure", move |request: &mut Request| {
            let target = request.target()?;
            let system = format!("{} {}", target.os.id, target.os.version);
            request.add(RemoteFile::content(format!("{base}{}", target.name), system))
        }),
    );
    bench.converge(&web).await;
    let system = std::fs::read_to_string(bench.path("web-1")).unwrap();
    // the first does not answer, the third is another system
    let script = |name: &str, before: &str| {
        let command = format!(
            "echo trip >> {}; {before} exec \"$@\"",
            bench.path(&format!("trips-of-{name}"))
        );
        Connection::Exec { command: ["sh", "-c", &command, "sh"].map(str::to_owned).to_vec() }
    };
    let release = bench.path("os-release");
    std::fs::write(&release, "ID=alpine\nVERSION_ID=3.22.1\n").unwrap();
    let other = format!(
        "set -- unshare --mount sh -c 'mount --bind {release} /usr/lib/os-release \
        && exec \"$@\"' sh \"$@\";"
    );
    for (name, before) in [("web-1", "exit 1;"), ("web-2", ""), ("web-3", &other), ("web-4", "")] {
        let connection = script(name, before);
        bench.service.state().nodes.get_mut(name).unwrap().connection = connection;
    }
    let unseen = bench.engine.with(EngineConfig {
        facts_cache: Some(FactsCache::at(bench.path("no-facts"))),
        ..bench.engine.config().clone()
    });
    let lift = async || unseen.lift(&web, &LiftOptions::default()).await.unwrap();
    let trips = |name: &str| {
        std::fs::read_to_string(bench.path(&format!("trips-of-{name}"))).unwrap().lines().count()
    };
    let root = rustix::process::geteuid().is_root();
    let outcome = lift().await;
    assert_eq!(outcome.counts(), if root { (1, 2, 1) } else { (0, 2, 2) }, "{outcome:?}");
    assert_eq!((trips("web-2"), trips("web-4")), (2, 1), "what the one says holds for the other");
    assert_eq!(std::fs::read_to_string(bench.path("web-4")).unwrap(), system);
    if root {
        assert_eq!(std::fs::read_to_string(bench.path("web-3")).unwrap(), "alpine 3.22.1");
        assert_eq!(trips("web-3"), 2, "one to observe, one to apply: nothing more is wanted of it");
    }
    lift().await;
    assert_eq!((trips("web-2"), trips("web-4")), (3, 2), "what each said is remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lift_with_nothing_to_change_is_one_round_trip() {
    let bench = bench();
    let (base, trips) = (bench.path(""), bench.path("trips"));
    let web = group(
        "web",
        1,
        ServerSpec::new()
            .phase("configure", {
                let base = base.clone();
                move |request: &mut Request| {
                    request.add(RemoteFile::content(format!("{base}one"), "1"))
                }
            })
            .phase("check", move |request: &mut Request| {
                request.add(RemoteFile::content(format!("{base}two"), "2"))
            }),
    );
    bench.converge(&web).await;
    let counting = ["sh", "-c", &format!("echo trip >> {trips}; exec \"$@\""), "sh"]
        .map(str::to_owned)
        .to_vec();
    bench.service.state().nodes.get_mut("web-1").unwrap().connection =
        Connection::Exec { command: counting };
    let phases = ["configure", "check"].map(|name| PhaseChoice::Named(name.to_owned())).to_vec();
    let trips_of_a_lift = async || {
        let before = std::fs::read_to_string(&trips).unwrap_or_default().lines().count();
        let outcome = bench
            .lift(&web, LiftOptions { phases: phases.clone(), ..LiftOptions::default() })
            .await;
        (
            outcome.counts(),
            std::fs::read_to_string(&trips).unwrap_or_default().lines().count() - before,
        )
    };
    assert_eq!(trips_of_a_lift().await, ((1, 0, 0), 2), "one to observe, one to apply");
    assert_eq!(trips_of_a_lift().await, ((0, 1, 0), 1), "one to observe");
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_cost_no_round_trip_of_their_own() {
    let bench = bench();
    let (base, trips, level) = (bench.path(""), bench.path("trips"), bench.path("level"));
    std::fs::write(&level, "3\n").unwrap();
    let level_of =
        FactSpec { command: format!("cat {level}"), kind: FactKind::Integer, default: None };
    let configure = move |request: &mut Request| {
        let level: u32 = request.fact("level")?.context("it is declared")?;
        let details = request.details(&[Detail::Mounts, Detail::TimeZone])?;
        // a node that exists has a root
        let root = details.mounts.context("mounts")?.into_iter().find(|one| one.path == "/");
        let kind = root.map(|root| root.kind).unwrap_or_default();
        let zone = details.time_zone.context("time zone")?;
        request.add(RemoteFile::content(format!("{base}known"), format!("{level} {kind} {zone}")))
    };
    let server = ServerSpec::new().phase("configure", configure).fact("level", level_of);
    let web = group("web", 1, server);
    let counting = ["sh", "-c", &format!("echo trip >> {trips}; exec \"$@\""), "sh"];
    let node = Node {
        group: Some("web".into()),
        ..Node::new(
            "web-1",
            "web-1",
            Connection::Exec { command: counting.map(str::to_owned).to_vec() },
        )
    };
    bench.service.state().nodes.insert("web-1".into(), node);
    let trips_of_a_lift = async || {
        let before = std::fs::read_to_string(&trips).unwrap_or_default().lines().count();
        let outcome = bench.lift(&web, LiftOptions::default()).await;
        let failed =
            outcome.nodes.iter().find(|node| matches!(node.result, NodeResult::Failed { .. }));
        assert!(failed.is_none(), "{failed:#?}");
        let after = std::fs::read_to_string(&trips).unwrap_or_default().lines().count();
        (outcome.counts(), after - before)
    };
    let first = trips_of_a_lift().await;
    // its function declares nothing before it knows the details
    assert_eq!(first, ((1, 0, 0), 4), "facts; details; what actions need; one to apply");
    let written = || std::fs::read_to_string(bench.path("known")).unwrap();
    assert!(written().starts_with("3 "), "{}", written());
    assert_eq!(trips_of_a_lift().await, ((0, 1, 0), 1), "one to observe, with all facts");
    // what a function guessed is confirmed, and declared again where it was wrong
    std::fs::write(&level, "4\n").unwrap();
    assert_eq!(trips_of_a_lift().await, ((1, 0, 0), 2), "one to observe, one to apply");
    assert!(written().starts_with("4 "), "{}", written());
    // what cannot be read fails the node, and says why
    std::fs::write(&level, "high\n").unwrap();
    let outcome = bench.lift(&web, LiftOptions::default()).await;
    let NodeResult::Failed { error, .. } = &outcome.nodes[0].result else { panic!("{outcome:?}") };
    assert!(error.message.starts_with("fact level: its command printed \"high\""), "{error}");
}

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

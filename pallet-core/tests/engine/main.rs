//! The engine on real shells: nodes are this machine, each with a directory of its own, behind a
//! provider in this program.
#![cfg(feature = "host")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;
mod files;
mod trips;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pallet_core::engine::{
    Engine, EngineConfig, Event, FactKind, FactSpec, FactsCache, GroupSpec, LiftOptions,
    NodeResult, Outcome, Phase, PhaseChoice, ServerSpec,
};
use pallet_core::prelude::*;

use common::Cloud;

struct Bench {
    engine: Engine,
    service: Cloud,
    events: Arc<Mutex<Vec<Event>>>,
    directory: tempfile::TempDir,
    /// All of them share what this machine remembers as a node: one at a time.
    _alone: MutexGuard<'static, ()>,
}

fn bench() -> Bench {
    static ALONE: Mutex<()> = Mutex::new(());
    let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let service = Cloud::default();
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::new(EngineConfig {
        facts_cache: Some(FactsCache::at(directory.path().join("facts"))),
        ..EngineConfig::new("test", Arc::new(service.clone()))
    });
    let engine = engine.on_event(move |event| told.lock().unwrap().push(event.clone()));
    Bench { engine, service, events, directory, _alone: alone }
}

impl Bench {
    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    async fn converge(&self, groups: &[GroupSpec]) -> Outcome {
        self.engine.converge(groups, &LiftOptions::default(), |_| Ok(true)).await.unwrap().unwrap()
    }

    async fn lift(&self, groups: &[GroupSpec], options: LiftOptions) -> Outcome {
        self.events.lock().unwrap().clear();
        self.engine.lift(groups, &options).await.unwrap()
    }

    /// What changed since the last lift began: node, action and subject's last part.
    fn changed(&self) -> Vec<(String, String)> {
        let name = |path: &str| {
            Path::new(path)
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default()
        };
        let events = self.events.lock().unwrap();
        let changed = events.iter().filter_map(|event| match event {
            Event::Action { change, changed: true } => {
                Some((change.node.clone(), name(&change.subject)))
            }
            _ => None,
        });
        let mut changed: Vec<_> = changed.collect();
        changed.sort();
        changed
    }
}

fn group(name: &str, count: u32, server: ServerSpec) -> [GroupSpec; 1] {
    [GroupSpec::new(name, Some(count), server).unwrap()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_lift_changes_nothing_and_a_dry_run_writes_nothing() {
    let bench = bench();
    let web = |overwrite_changes: bool| {
        let base = bench.path("");
        let configure = move |request: &mut Request| {
            let name = request.target()?.name;
            request.add(Directory::at(format!("{base}{name}")).mode(0o750))?;
            let page =
                RemoteFile::content(format!("{base}{name}/page"), format!("hello from {name}\n"));
            request.add(if overwrite_changes { page.overwrite_changes() } else { page })
        };
        group("web", 2, ServerSpec::new().phase("configure", configure))
    };
    let kept = web(false);
    let web = web(true);
    let dry = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let first = bench.converge(&web).await;
    assert!(first.ok(), "{first:?}");
    assert_eq!(first.created, ["web-1", "web-2"]);
    assert_eq!(std::fs::read_to_string(bench.path("web-2/page")).unwrap(), "hello from web-2\n");

    let second = bench.lift(&web, LiftOptions::default()).await;
    assert_eq!(second.counts(), (0, 2, 0), "{second:?}");
    assert_eq!(bench.changed(), []);

    std::fs::write(bench.path("web-1/page"), "by hand\n").unwrap();
    let shown = bench.lift(&web, dry).await;
    assert_eq!(shown.counts(), (1, 1, 0));
    assert_eq!(std::fs::read_to_string(bench.path("web-1/page")).unwrap(), "by hand\n");
    let diff = bench.events.lock().unwrap().iter().find_map(|event| match event {
        Event::Planned(change) => Some(change.diff.clone()),
        _ => None,
    });
    assert!(
        diff.as_ref()
            .is_some_and(|diff| diff.contains("-by hand") && diff.contains("+hello from web-1")),
        "{diff:?}"
    );

    let kept = bench.lift(&kept, LiftOptions::default()).await;
    assert_eq!((kept.counts(), kept.ok()), ((0, 2, 0), true));
    assert_eq!(std::fs::read_to_string(bench.path("web-1/page")).unwrap(), "by hand\n");
    assert_eq!(
        bench
            .events
            .lock()
            .unwrap()
            .iter()
            .filter(|event| matches!(event, Event::Drift(_)))
            .count(),
        1
    );

    let repaired = bench.lift(&web, LiftOptions::default()).await;
    assert_eq!(repaired.counts(), (1, 1, 0));
    assert_eq!(bench.changed(), [("web-1".to_owned(), "page".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_node_stops_nobody_else() {
    let bench = bench();
    let base = bench.path("");
    let web = group(
        "web",
        3,
        ServerSpec::new().phase("configure", move |request: &mut Request| {
            let name = request.target()?.name;
            if name == "web-2" {
                request.add(ExecScript::new("echo reason; exit 3"))?;
            }
            request.add(RemoteFile::content(format!("{base}{name}"), "x"))
        }),
    );
    let outcome = bench.converge(&web).await;
    assert_eq!(outcome.counts(), (2, 0, 1), "{outcome:?}");
    let NodeResult::Failed { error, changes: 0 } = &outcome.nodes[1].result else {
        panic!("{outcome:?}")
    };
    assert!(error.message.contains("exit code 3"), "{error:?}");
    assert_eq!(error.detail, "reason");
    assert!(!Path::new(&bench.path("web-2")).exists(), "what follows a failed action is not done");
    assert!(Path::new(&bench.path("web-3")).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_one_node_are_there_for_all_others() {
    let bench = bench();
    let base = bench.path("");
    let spec = ServerSpec::new()
        .phase("settings", |request: &mut Request| {
            let name = request.target()?.name;
            request.set_settings("backend", json!({"url": format!("http://{name}")}))
        })
        .phase("configure", move |request: &mut Request| {
            let mut urls = Vec::new();
            for target in request.targets()? {
                let backend: Value =
                    request.settings_of(&target.id, "backend")?.context("no settings")?;
                urls.push(backend["url"].as_str().unwrap_or_default().to_owned());
            }
            let name = request.target()?.name;
            request.add(RemoteFile::content(format!("{base}{name}"), urls.join(" ")))
        });
    let outcome = bench.converge(&group("app", 3, spec)).await;
    assert!(outcome.ok(), "{outcome:?}");
    assert_eq!(
        std::fs::read_to_string(bench.path("app-1")).unwrap(),
        "http://app-1 http://app-2 http://app-3"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bootstrap_runs_once_a_node_and_counts_are_kept() {
    let bench = bench();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let spec = move || {
        let counted = counted.clone();
        ServerSpec::new().phase("bootstrap", move |_: &mut Request| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    };
    bench.converge(&group("web", 2, spec())).await;
    let after_first = runs.load(Ordering::Relaxed);
    assert!(after_first >= 2);
    bench.converge(&group("web", 2, spec())).await;
    assert_eq!(runs.load(Ordering::Relaxed), after_first);
    let grown = bench.converge(&group("web", 3, spec())).await;
    assert_eq!(grown.created, ["web-3"]);
    assert_eq!(runs.load(Ordering::Relaxed), after_first + 1);
    let shrunk = bench.converge(&group("web", 1, spec())).await;
    assert_eq!(shrunk.destroyed, ["web-2", "web-3"]);
    assert_eq!(bench.service.state().nodes.len(), 1);
    let down = bench
        .engine
        .down(&group("web", 1, spec()), &LiftOptions::default(), |_| Ok(true))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(down.destroyed, ["web-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_cannot_be_made_is_reported_and_the_others_are_configured() {
    let bench = bench();
    let outcome = bench.converge(&group("web", 13, ServerSpec::new())).await;
    assert_eq!(outcome.created.len(), 12);
    assert_eq!(outcome.counts(), (0, 12, 1));
    let NodeResult::Failed { error, .. } = &outcome.nodes[12].result else { panic!("{outcome:?}") };
    assert_eq!(error.message, "could not be created: no luck");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_runs_an_action_only_when_something_changed() {
    let bench = bench();
    let base = bench.path("");
    let content = Arc::new(Mutex::new("one".to_owned()));
    let wanted = content.clone();
    let web = group(
        "web",
        1,
        ServerSpec::new().phase("configure", move |request: &mut Request| {
            let content = wanted.lock().unwrap().clone();
            request.add_with(
                RemoteFile::content(format!("{base}conf"), content),
                Options::new().flag_on_change("conf changed"),
            )?;
            let restart = ExecScript::new(format!("echo restarted >> {base}log"));
            request.add_with(restart, Options::new().if_flag("conf changed"))
        }),
    );
    bench.converge(&web).await;
    assert_eq!(bench.lift(&web, LiftOptions::default()).await.counts(), (0, 1, 0));
    *content.lock().unwrap() = "two".to_owned();
    bench.lift(&web, LiftOptions::default()).await;
    assert_eq!(std::fs::read_to_string(bench.path("log")).unwrap(), "restarted\nrestarted\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_outlives_a_run_that_fails() {
    let bench = bench();
    let base = bench.path("");
    let broken = Arc::new(Mutex::new(true));
    let (wanted, log) = (broken.clone(), bench.path("log"));
    let web = group(
        "web",
        1,
        ServerSpec::new().phase("configure", move |request: &mut Request| {
            request.add_with(
                RemoteFile::content(format!("{base}conf"), "x"),
                Options::new().flag_on_change("outlives"),
            )?;
            if *wanted.lock().unwrap() {
                request.add(ExecScript::new("false"))?;
            }
            request.add_with(
                ExecScript::new(format!("echo restarted >> {base}log")),
                Options::new().if_flag("outlives"),
            )
        }),
    );
    assert_eq!(bench.converge(&web).await.counts(), (0, 0, 1));
    assert!(!Path::new(&log).exists());
    *broken.lock().unwrap() = false;
    assert_eq!(bench.lift(&web, LiftOptions::default()).await.counts(), (1, 0, 0));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "restarted\n");
    assert_eq!(bench.lift(&web, LiftOptions::default()).await.counts(), (0, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inline_phase_runs_on_every_node_and_an_unknown_phase_is_refused() {
    let bench = bench();
    let base = bench.path("");
    let web = group("web", 2, ServerSpec::new());
    bench.converge(&web).await;
    let inline = Phase::new(move |request: &mut Request| {
        let name = request.target()?.name;
        request.add(Directory::at(format!("{base}{name}")))
    });
    let unknown = vec![PhaseChoice::Named("restrat".into()), PhaseChoice::Inline(inline.clone())];
    let refused =
        bench.engine.lift(&web, &LiftOptions { phases: unknown, ..LiftOptions::default() }).await;
    assert!(refused.unwrap_err().to_string().contains("restrat"));
    let phases = vec![PhaseChoice::Inline(inline)];
    let outcome = bench.lift(&web, LiftOptions { phases, ..LiftOptions::default() }).await;
    assert_eq!(outcome.counts(), (2, 0, 0), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_operation_says_so_for_every_node() {
    let bench = bench();
    let web = group(
        "web",
        2,
        ServerSpec::new()
            .phase("configure", |request: &mut Request| request.add(ExecScript::new("sleep 30"))),
    );
    let cancel = bench.engine.cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(700)).await;
        cancel.cancel();
    });
    let start = std::time::Instant::now();
    let outcome = bench.converge(&web).await;
    assert!(outcome.cancelled && !outcome.ok());
    assert_eq!(outcome.counts().2, 2, "{outcome:?}");
    assert!(start.elapsed().as_secs() < 20);
}

//! What functions see of nodes outside the operation.

use std::sync::{Arc, Mutex};

use super::{LiftOptions, NodeResult, PhaseChoice};
use crate::engine::testing::{Cloud, engine, warnings};
use crate::engine::{ExplainOptions, GroupSpec, Selection, ServerSpec};
use crate::model::Target;
use crate::plugin::Request;

type Seen = Arc<Mutex<Vec<String>>>;

/// Groups `here` (its function records what it sees of `web` and `db`), `web` and `db`.
fn groups(seen: &Seen) -> Vec<GroupSpec> {
    let seen = seen.clone();
    let look = move |request: &mut Request| -> anyhow::Result<()> {
        let backend = |target: &Target| {
            target.address.clone().filter(|_| target.roles.iter().any(|role| role == "backend"))
        };
        let web: Vec<_> = request.targets()?.iter().filter_map(backend).collect();
        let port = |target: &Target| -> anyhow::Result<String> {
            let settings: serde_json::Value =
                request.settings_of(&target.id, "app")?.unwrap_or_default();
            Ok(format!("{}={}", target.name, settings["port"]))
        };
        let ports = request.targets()?.iter().map(port).collect::<anyhow::Result<Vec<_>>>()?;
        seen.lock().unwrap().push(format!("{} | {}", web.join(" "), ports.join(" ")));
        Ok(())
    };
    let settings =
        |request: &mut Request| request.set_settings("app", serde_json::json!({ "port": 8080 }));
    let never = |_: &mut Request| -> anyhow::Result<()> {
        anyhow::bail!("nothing but settings is declared for it")
    };
    let group = |name: &str, server| GroupSpec::new(name, Some(1), server).unwrap();
    vec![
        group("here", ServerSpec::new().phase("configure", look)),
        group(
            "web",
            ServerSpec::new().role("backend").phase("settings", settings).phase("configure", never),
        ),
        group("db", ServerSpec::new().phase("configure", never)),
    ]
}

const ALL: [&str; 5] = ["web-10", "here-1", "web-9", "db-1", "old-1"];
const SEEN: &str = "at-web-9 at-web-10 | db-1=null here-1=null web-9=8080 web-10=8080";

#[tokio::test]
async fn a_part_sees_all_nodes_with_their_settings() {
    let seen = Seen::default();
    let all = groups(&seen);
    let (engine, told) = engine(Cloud::of(&ALL), &all);
    let options = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let outcome = engine.lift(&all[..1], &options).await.unwrap();
    assert!(outcome.ok(), "{outcome:?}");
    let names: Vec<_> = outcome.nodes.iter().map(|node| node.node.as_str()).collect();
    assert_eq!(
        names,
        ["here-1"],
        "nodes that cannot be reached cost nothing where the lift is not for them"
    );
    assert_eq!(seen.lock().unwrap().last().map(String::as_str), Some(SEEN));
    let warnings = warnings(&told);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0]
            .starts_with("old-1 belongs to group old, which is not declared: left unchanged"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn converge_and_explain_of_a_part_see_the_same() {
    let seen = Seen::default();
    let all = groups(&seen);
    let (engine, _) = engine(Cloud::of(&ALL), &all);
    let options = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let outcome = engine.converge(&all[..1], &options, |_| Ok(true)).await.unwrap().unwrap();
    assert!(outcome.ok() && outcome.nodes.len() == 1, "{outcome:?}");
    assert_eq!(seen.lock().unwrap().last().map(String::as_str), Some(SEEN));
    seen.lock().unwrap().clear();
    let explained = engine
        .explain_selected(&all, &Selection::named("here-1"), &ExplainOptions::default())
        .await
        .unwrap();
    assert!(explained.len() == 1 && explained[0].error.is_none(), "{explained:?}");
    assert_eq!(seen.lock().unwrap().last().map(String::as_str), Some(SEEN));
}

#[tokio::test]
async fn a_node_that_cannot_be_asked_is_not_forgotten() {
    let seen = Seen::default();
    let all = groups(&seen);
    let (engine, _) = engine(Cloud::of(&ALL), &all);
    let outcome =
        engine.lift(&all, &LiftOptions { dry_run: true, ..LiftOptions::default() }).await.unwrap();
    let failed: Vec<_> = outcome
        .nodes
        .iter()
        .filter(|node| matches!(node.result, NodeResult::Failed { .. }))
        .map(|node| &node.node)
        .collect();
    assert_eq!(failed, ["db-1", "web-9", "web-10"], "they cannot be reached");
    assert_eq!(
        seen.lock().unwrap().last().map(String::as_str),
        Some(SEEN),
        "and are in what is written of them all the same"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_declared_are_told() {
    let fails = |_: &mut Request| -> anyhow::Result<()> { anyhow::bail!("no such key") };
    let nothing = |_: &mut Request| -> anyhow::Result<()> { Ok(()) };
    let here =
        GroupSpec::new("here", Some(1), ServerSpec::new().phase("configure", nothing)).unwrap();
    let web = GroupSpec::new("web", Some(2), ServerSpec::new().phase("settings", fails)).unwrap();
    let (engine, told) = engine(Cloud::of(&["here-1", "web-1", "web-2"]), &[here.clone(), web]);
    let outcome = engine
        .lift(&[here], &LiftOptions { dry_run: true, ..LiftOptions::default() })
        .await
        .unwrap();
    assert!(outcome.ok());
    assert_eq!(
        warnings(&told),
        ["web-1: its settings (and those of 1 more) are unknown to this operation: no such key"]
    );
}

#[tokio::test]
async fn a_phase_that_no_group_has_is_refused() {
    let all = groups(&Seen::default());
    let (engine, _) = engine(Cloud::of(&ALL), &all);
    let lift = async |name: &str| {
        let options = LiftOptions {
            phases: vec![PhaseChoice::Named(name.to_owned())],
            dry_run: true,
            ..LiftOptions::default()
        };
        engine
            .lift(&all[..1], &options)
            .await
            .map(|outcome| outcome.ok())
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        lift("confgure").await,
        Err("there is no phase confgure; did you mean `configure`?".to_owned())
    );
    assert_eq!(
        lift("restart").await,
        Err("there is no phase restart; there are: configure, settings".to_owned())
    );
    assert_eq!(lift("settings").await, Ok(true));
}

#[tokio::test]
async fn more_nodes_than_there_may_be_are_refused_at_once() {
    let group = GroupSpec::new("web", Some(1_000_000_000), ServerSpec::new()).unwrap();
    let (engine, _) = engine(Cloud::default(), &[]);
    let options = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let error = engine
        .converge(std::slice::from_ref(&group), &options, |_| Ok(true))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with(
            "the groups want 1000000000 nodes (web alone 1000000000); the limit is 10000"
        ),
        "{error}"
    );
    let error = engine.explain(&[group], &ExplainOptions::default()).await.unwrap_err().to_string();
    assert!(error.contains("max_nodes"), "{error}");
}

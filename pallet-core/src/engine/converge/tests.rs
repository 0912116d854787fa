//! Nodes that should be destroyed.

use super::*;
use crate::engine::testing::{Cloud, engine, warnings};
use crate::engine::{EngineConfig, NodeResult, ServerSpec};
use crate::model::Node;

fn group(name: &str, count: u32) -> GroupSpec {
    GroupSpec::new(name, Some(count), ServerSpec::new()).unwrap()
}

/// The nodes that failed, each with the reason.
fn failed(outcome: &Outcome) -> Vec<String> {
    let failed =
        outcome.nodes.iter().filter(|node| matches!(node.result, NodeResult::Failed { .. }));
    failed.map(|node| format!("{}: {}", node.node, node.result)).collect()
}

#[tokio::test]
async fn an_error_hides_nothing_of_what_was_destroyed() {
    for says_which in [true, false] {
        let cloud = Cloud::of(&["web-1", "web-2", "db-1"]);
        cloud.state().stuck = vec!["i-web-2"];
        cloud.state().says_which = says_which;
        let groups = [group("web", 2), group("db", 1)];
        let (engine, told) = engine(cloud.clone(), &groups);
        let outcome =
            engine.down(&groups, &LiftOptions::default(), |_| Ok(true)).await.unwrap().unwrap();
        assert_eq!(outcome.destroyed, ["db-1", "web-1"]);
        let why = if says_which { "i-web-2 is busy" } else { "something is busy" };
        assert_eq!(failed(&outcome), [format!("web-2: failed: could not be destroyed: {why}")]);
        assert!(!outcome.ok());
        let destroyed = told
            .lock()
            .unwrap()
            .iter()
            .filter(|event| matches!(event, Event::Destroyed { .. }))
            .count();
        assert_eq!(destroyed, 2);
        assert_eq!(
            cloud.state().calls,
            ["destroy i-db-1 i-web-1 i-web-2"],
            "what a node needs is not cleaned up"
        );
    }
}

#[tokio::test]
async fn what_is_never_destroyed_says_so_before() {
    let cloud = Cloud::of(&["web-1", "list-1"]);
    cloud.state().nodes.get_mut("i-list-1").unwrap().permanent = true;
    let groups = [group("web", 1), group("list", 1)];
    let (engine, told) = engine(cloud.clone(), &groups);
    let (at_agreement, asked) = (told.clone(), cloud.clone());
    let agree = move |nodes: &[Node]| {
        assert_eq!(nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>(), ["web-1"]);
        assert_eq!(
            warnings(&at_agreement),
            ["list-1 stays: its provider only lists it, and never destroys machines"]
        );
        assert!(asked.state().calls.is_empty());
        Ok(true)
    };
    let outcome = engine.down(&groups, &LiftOptions::default(), agree).await.unwrap().unwrap();
    assert_eq!(outcome.destroyed, ["web-1"]);
    assert_eq!(failed(&outcome).len(), 1, "{outcome:?}");
    assert!(
        failed(&outcome)[0]
            .starts_with("list-1: failed: could not be destroyed: its provider only lists it"),
        "{outcome:?}"
    );
    assert_eq!(cloud.state().calls, ["destroy i-web-1", "clean up"]);
}

#[tokio::test]
async fn fault_24_nodes_of_no_group_are_named_and_removed_when_told_to() {
    let declared = [group("web", 0)];
    let (engine, told) = engine(Cloud::of(&["db-1", "db-2", "odd-1"]), &declared);
    let dry = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let outcome = engine.converge(&declared, &dry, |_| Ok(true)).await.unwrap().unwrap();
    assert!(outcome.destroyed.is_empty());
    let warned = warnings(&told);
    assert!(
        warned[0].starts_with(
            "db-1, db-2 belong to group db, which is not declared: left unchanged; declare the \
            group"
        ),
        "{warned:?}"
    );
    assert!(warned[1].starts_with("odd-1 belongs to group odd"), "{warned:?}");

    // by its tags alone
    let none = [group("db", 0)];
    let outcome =
        engine.converge(&none, &LiftOptions::default(), |_| Ok(true)).await.unwrap().unwrap();
    assert_eq!(outcome.destroyed, ["db-1", "db-2"]);
    let error = engine
        .converge(&none, &LiftOptions::default(), |_| Ok(true))
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(error, "there is no group db; there are: web, odd");

    let remove = |plan: &mut ConvergePlan| {
        plan.remove_undeclared();
        Ok(true)
    };
    let outcome =
        engine.converge(&declared, &LiftOptions::default(), remove).await.unwrap().unwrap();
    assert_eq!(outcome.destroyed, ["odd-1"]);
    assert!(engine.nodes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_new_node_that_cannot_be_planned_fails_a_dry_run() {
    let broken =
        |_: &mut crate::plugin::Request| -> anyhow::Result<()> { anyhow::bail!("no such key") };
    let groups =
        [GroupSpec::new("web", Some(1), ServerSpec::new().phase("configure", broken)).unwrap()];
    let (engine, told) = engine(Cloud::default(), &groups);
    let engine = engine.with(EngineConfig { facts_cache: None, ..engine.config().clone() });
    let dry = LiftOptions { dry_run: true, ..LiftOptions::default() };
    let outcome = engine.converge(&groups, &dry, |_| Ok(true)).await.unwrap().unwrap();
    assert_eq!(
        (outcome.created.as_slice(), outcome.ok()),
        (["web-1".to_owned()].as_slice(), false)
    );
    assert_eq!(failed(&outcome), ["web-1: failed: configure: no such key"]);
    let warned = warnings(&told);
    assert!(
        warned[0].starts_with(
            "the system of new nodes of group web is unknown; planning them as \
            debian 12"
        ),
        "{warned:?}"
    );
}

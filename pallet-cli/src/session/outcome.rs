//! The outcome of an operation as a Starlark value.

use pallet_core::engine::{NodeOutcome, NodeResult, Outcome, PlannedChange};
use serde_json::{Map, Value, json};

use crate::project::star::table::TableValue;

/// The name of an outcome in messages.
pub(super) const OUTCOME: &str = "the outcome";
/// The name of a command's result in messages.
pub(super) const RESULT: &str = "the result";
/// The name of an explanation in messages.
pub(super) const EXPLANATION: &str = "an explanation";

/// The outcome, with the changes that were made or, in a dry run, would be.
pub(super) fn table(outcome: &Outcome, changes: &[PlannedChange]) -> TableValue {
    let (changed, unchanged, failed) = outcome.counts();
    let value = json!({
        "ok": outcome.ok(),
        "cancelled": outcome.cancelled,
        "changed": changed,
        "unchanged": unchanged,
        "failed": failed,
        "not_reached": outcome.not_reached(),
        "nodes": outcome.nodes.iter().map(node).collect::<Vec<_>>(),
        "created": outcome.created,
        "destroyed": outcome.destroyed,
        "plan": changes.iter().map(change).collect::<Vec<_>>(),
    });
    TableValue::new(OUTCOME, object(value))
}

fn node(outcome: &NodeOutcome) -> Value {
    let (result, changes, error) = match &outcome.result {
        NodeResult::Unchanged => ("unchanged", 0, None),
        NodeResult::Changed { changes } => ("changed", *changes, None),
        NodeResult::Failed { changes, error } => ("failed", *changes, Some(error)),
        NodeResult::NotReached { .. } => ("not_reached", 0, None),
    };
    json!({
        "name": outcome.node,
        "group": outcome.group,
        "result": result,
        "failed": error.is_some(),
        "changes": changes,
        "drifted": outcome.drifted,
        "error": error.map(|error| error.message.clone()),
        "phase": error.and_then(|error| error.phase.clone()),
        "action": error.and_then(|error| error.action.clone()),
        "source": error.and_then(|error| error.source.as_ref()).map(ToString::to_string),
    })
}

fn change(change: &PlannedChange) -> Value {
    json!({
        "node": change.node,
        "phase": change.phase,
        "action": change.action,
        "subject": change.subject,
        "summary": change.summary,
        "certainty": change.certainty,
        "diff": change.diff,
        "source": change.source.as_ref().map(ToString::to_string),
        "via": change.via,
        "predicted": change.predicted,
    })
}

/// The items of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

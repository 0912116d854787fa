//! The observations of an action and their results, in words.

use super::explanation::Observed;
use crate::action::{AnyAction, Declared};
use crate::observe::{NodeState, Observation};

/// The observations that a declared action needs, including those of its conditions.
pub(super) fn observed(declared: &Declared, node: &NodeState) -> Vec<Observed> {
    let placeholders = declared.shown.as_ref().and_then(|shown| shown.action.as_ref());
    let action: &dyn AnyAction = placeholders.unwrap_or(&declared.action).as_ref();
    let mut wanted = Observation::default();
    action.observe(&mut wanted);
    // commands that hold a secret are not shown
    let withheld = declared.secret.is_some() && placeholders.is_none();
    if withheld && !(wanted.commands.is_empty() && wanted.readings.commands.is_empty()) {
        wanted.commands.clear();
        wanted.readings.commands.clear();
    }
    for condition in &declared.conditions {
        wanted.command(&condition.command);
    }
    let secret =
        declared.secret.is_some() || wanted.files.keys().any(|path| node.holds_secret(path));
    let described = node.describe(&wanted, !secret).into_iter();
    described.map(|one| Observed { what: one.what, found: one.found }).collect()
}

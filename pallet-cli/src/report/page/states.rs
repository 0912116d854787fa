//! How far an operation got with a node, in words and colours.

use std::borrow::Cow;

use pallet_core::engine::NodeResult;

use super::super::model::{State, exit, is_bad, word};
use super::words::count;

/// How far an operation got with a node.
pub(super) fn state(state: State<'_>) -> Cow<'static, str> {
    match (state, exit(state)) {
        (_, Some(code)) => Cow::Owned(format!("exit {code}")),
        (State::Finished(NodeResult::Changed { changes }), None) => {
            Cow::Owned(count(*changes, "change"))
        }
        (state, None) => Cow::Borrowed(word(state)),
    }
}

/// The colour of that.
pub(super) fn class(state: State<'_>) -> &'static str {
    match state {
        state if is_bad(state) => "failed",
        State::Finished(NodeResult::NotReached { .. }) | State::Waiting => "open-end",
        State::Finished(NodeResult::Unchanged) => "same",
        State::Running | State::Created => "running",
        _ => "good",
    }
}

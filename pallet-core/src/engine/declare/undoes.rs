//! The error for two actions that contradict each other.

use crate::action::Declared;
use crate::plugin::{ErrorKind, PluginError};

/// The error for two actions of one phase that contradict each other.
pub(super) fn undoes(action: &Declared, earlier: &Declared, what: &str) -> PluginError {
    let place = |action: &Declared| {
        action.source.as_ref().map(|source| format!(" ({source})")).unwrap_or_default()
    };
    let message = format!(
        "{}{} undoes {}{}: each run would make both changes; they differ in {what}",
        action.label(),
        place(action),
        earlier.label(),
        place(earlier)
    );
    PluginError::new(ErrorKind::InvalidInput, message).with_help(
        "keep one of them, or put them under opposite conditions or into different phases",
    )
}

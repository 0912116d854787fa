//! Shared by the actions that wait for a condition.

use super::{ActionError, Change};
use crate::model::Known;
use crate::observe::{CommandState, NodeState};
use crate::script::{Script, quote};

/// A condition that a read-only command checks, and how long to wait for it.
pub(super) struct Wait<'a> {
    /// The command; it succeeds when the condition holds.
    pub(super) condition: &'a str,
    /// Names the condition in an error.
    pub(super) what: &'a str,
    /// The timeout in seconds.
    pub(super) timeout: u32,
    pub(super) delay: u32,
}

pub(super) fn sixty() -> u32 {
    60
}

pub(super) fn one() -> u32 {
    1
}

impl Wait<'_> {
    /// Plans to wait, unless the condition held when the node was observed.
    pub(super) fn plan(&self, node: &mut NodeState, before: Script) -> Option<Change> {
        let now = CommandState { exit: 0 };
        if node.command(self.condition) == Known::Known(&now) {
            return None;
        }
        let script = before.raw(&format!("condition() {{\n{}\n}}", self.condition));
        let script = script.call([
            "wait_for",
            self.what,
            &self.timeout.to_string(),
            &self.delay.to_string(),
        ]);
        node.set_command(self.condition, now);
        Some(Change::may(format!("wait for {}", self.what), script))
    }

    /// Refuses invalid times.
    pub(super) fn check(action: &str, timeout: u32, delay: u32) -> Result<(), ActionError> {
        if timeout == 0 || delay == 0 || delay > timeout {
            let message = format!(
                "timeout {timeout} and delay {delay} are not seconds from 1, the \
                delay no longer than the timeout"
            );
            return Err(ActionError::arguments(action, message));
        }
        Ok(())
    }
}

/// A condition on whether something exists at a path.
pub(super) fn stands(path: &str) -> String {
    let path = quote(path);
    format!("[ -e {path} ] || [ -L {path} ]")
}

/// Builders for `timeout` and `delay` of an action that waits.
macro_rules! wait_builders {
    () => {
        /// Sets the timeout in seconds.
        pub fn timeout(mut self, seconds: u32) -> Self {
            self.timeout = seconds;
            self
        }

        /// Sets the time between two checks, in seconds.
        pub fn delay(mut self, seconds: u32) -> Self {
            self.delay = seconds;
            self
        }
    };
}

pub(super) use wait_builders;

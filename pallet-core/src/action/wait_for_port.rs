//! Waits until a process listens on a TCP port, or until none does. No-op: the condition held when
//! the node was observed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wait::{Wait, one, sixty, wait_builders};
use super::{Action, ActionError, Change, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};
use crate::script::Script;

/// Waits until a process on the node listens on a TCP port, or until none does.
///
/// Fails after a timeout. Does nothing if that is already so. Waiting never counts as a change.
///
/// Example: `wait_for_port(request, 8080)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForPort {
    /// TCP port, on any of the node's addresses.
    pub port: u16,
    /// `open` waits until a process listens, `closed` until none does.
    #[serde(default)]
    pub state: PortState,
    /// Maximum time to wait, in seconds. Default: 60.
    #[serde(default = "sixty")]
    pub timeout: u32,
    /// Time between two checks, in seconds. Default: 1.
    #[serde(default = "one")]
    pub delay: u32,
}

/// Whether something listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PortState {
    /// Something does.
    #[default]
    Open,
    /// Nothing does.
    Closed,
}

impl WaitForPort {
    /// Wait until a process listens on `port`.
    pub fn new(port: u16) -> Self {
        WaitForPort { port, state: PortState::Open, timeout: sixty(), delay: one() }
    }

    /// Wait until no process listens.
    pub fn closed(mut self) -> Self {
        self.state = PortState::Closed;
        self
    }

    wait_builders!();

    /// Reads the kernel's list of sockets; state 0A is listening.
    fn condition(&self) -> String {
        let not = if self.state == PortState::Closed { "! " } else { "" };
        format!(
            "{not}grep -qs ':{:04X} [0-9A-F]*:[0-9A-F]* 0A ' /proc/net/tcp /proc/net/tcp6",
            self.port
        )
    }
}

impl Action for WaitForPort {
    const NAME: &'static str = "wait_for_port";

    fn subject(&self) -> String {
        self.port.to_string()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if self.port == 0 {
            return Err(ActionError::arguments(
                Self::NAME,
                "nothing listens on port 0; give one from 1 to 65535",
            ));
        }
        Wait::check(Self::NAME, self.timeout, self.delay)
    }

    /// It is read-only.
    fn needs(&self, _needed: &mut Capabilities) {}

    fn only_waits(&self) -> bool {
        true
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.command(&self.condition());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let what = match self.state {
            PortState::Open => format!("something to listen on port {}", self.port),
            PortState::Closed => format!("nothing to listen on port {}", self.port),
        };
        let wait = Wait {
            condition: &self.condition(),
            what: &what,
            timeout: self.timeout,
            delay: self.delay,
        };
        Ok(wait.plan(node, Script::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    #[test]
    fn waits_for_what_is_not_so() {
        check(
            WaitForPort::new(8080),
            node().command(&WaitForPort::new(8080).condition(), 1),
            expect![[r#"
            may wait for something to listen on port 8080
            ---
            condition() {
            grep -qs ':1F90 [0-9A-F]*:[0-9A-F]* 0A ' /proc/net/tcp /proc/net/tcp6
            }
            wait_for 'something to listen on port 8080' 60 1
        "#]],
        );
        check(
            WaitForPort::new(22).closed().timeout(9),
            node(),
            expect![[r#"
            may wait for nothing to listen on port 22
            ---
            condition() {
            ! grep -qs ':0016 [0-9A-F]*:[0-9A-F]* 0A ' /proc/net/tcp /proc/net/tcp6
            }
            wait_for 'nothing to listen on port 22' 9 1
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_so() {
        check(
            WaitForPort::new(8080),
            node().command(&WaitForPort::new(8080).condition(), 0),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            WaitForPort::new(0),
            node(),
            expect!["error: wait_for_port: nothing listens on port 0; give one from 1 to 65535"],
        );
        check(
            WaitForPort::new(1).timeout(1).delay(2),
            node(),
            expect![
                "error: wait_for_port: \
            timeout 1 and delay 2 are not seconds from 1, the delay no longer than the timeout"
            ],
        );
    }
}

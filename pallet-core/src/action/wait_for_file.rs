//! Waits until a path exists, or until it does not. No-op: the condition held when the node was
//! observed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_support::require_absolute;
use super::wait::{Wait, one, sixty, stands, wait_builders};
use super::{Action, ActionError, Change, Existence, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};
use crate::script::Script;

/// Waits until a path exists, or until it does not.
///
/// Fails after a timeout. Does nothing if that is already so. Waiting never counts as a change.
///
/// Example: `wait_for_file(request, "/run/app.sock", timeout = 30)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForFile {
    /// Absolute path.
    pub path: String,
    /// `create` waits until the path exists, `delete` until it does not.
    #[serde(default)]
    pub action: Existence,
    /// Maximum time to wait, in seconds. Default: 60.
    #[serde(default = "sixty")]
    pub timeout: u32,
    /// Time between two checks, in seconds. Default: 1.
    #[serde(default = "one")]
    pub delay: u32,
}

impl WaitForFile {
    /// Wait until `path` exists.
    pub fn at(path: impl Into<String>) -> Self {
        WaitForFile { path: path.into(), action: Existence::Create, timeout: sixty(), delay: one() }
    }

    /// Wait until it does not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }

    wait_builders!();

    fn condition(&self) -> String {
        match self.action {
            Existence::Create => stands(&self.path),
            Existence::Delete => format!("! {{ {}; }}", stands(&self.path)),
        }
    }
}

impl Action for WaitForFile {
    const NAME: &'static str = "wait_for_file";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
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
        let gone = if self.action == Existence::Delete { " to be gone" } else { "" };
        let what = format!("{}{gone}", self.path);
        let wait = Wait {
            condition: &self.condition(),
            what: &what,
            timeout: self.timeout,
            delay: self.delay,
        };
        let change = wait.plan(node, Script::new());
        if change.is_some() {
            // the path is created by somebody else
            node.forget_files_below(&self.path);
        }
        Ok(change)
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
            WaitForFile::at("/run/x"),
            node().command(&WaitForFile::at("/run/x").condition(), 1),
            expect![[r#"
            may wait for /run/x
            ---
            condition() {
            [ -e /run/x ] || [ -L /run/x ]
            }
            wait_for /run/x 60 1
        "#]],
        );
        check(
            WaitForFile::at("/run/it's").absent().timeout(5).delay(2),
            node(),
            expect![[r#"
            may wait for /run/it's to be gone
            ---
            condition() {
            ! { [ -e '/run/it'\''s' ] || [ -L '/run/it'\''s' ]; }
            }
            wait_for '/run/it'\''s to be gone' 5 2
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_so() {
        check(
            WaitForFile::at("/run/x"),
            node().command(&WaitForFile::at("/run/x").condition(), 0),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            WaitForFile::at("x"),
            node(),
            expect![[r#"error: wait_for_file: the path "x" is not absolute; write it from /"#]],
        );
        check(
            WaitForFile::at("/x").timeout(0),
            node(),
            expect![
                "error: wait_for_file: timeout 0 \
            and delay 1 are not seconds from 1, the delay no longer than the timeout"
            ],
        );
    }
}

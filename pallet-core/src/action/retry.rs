//! Runs commands until they succeed. No-op: as `exec_script`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::guard_builders;
use super::guard::GuardedScript;
use super::{Action, ActionError, Change, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};
use crate::script::strict_shell;

/// Runs shell commands repeatedly until they succeed, up to a number of attempts. Without a guard
/// (`creates`, `unless`, `only_if`) they run every time.
///
/// Example: `retry(request, "curl -fsS -o /opt/tool http://mirror.example.com/tool", tries = 3, delay = 10, creates = "/opt/tool")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Shell commands. The first one that fails ends the attempt.
    pub command: String,
    /// Maximum number of attempts. Default: 5.
    #[serde(default = "five")]
    pub tries: u32,
    /// Time between two attempts, in seconds. Default: 2.
    #[serde(default = "two")]
    pub delay: u32,
    /// Skip if this path exists.
    #[serde(default)]
    pub creates: Option<String>,
    /// Skip if this command succeeds. It must not change anything.
    #[serde(default)]
    pub unless: Option<String>,
    /// Skip if this command fails. It must not change anything.
    #[serde(default)]
    pub only_if: Option<String>,
    /// Working directory.
    #[serde(default)]
    pub cwd: Option<String>,
    /// User that runs the commands and the guards. Default: the user that Pallet runs as on the
    /// node (root).
    #[serde(default)]
    pub user: Option<String>,
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

fn five() -> u32 {
    5
}

fn two() -> u32 {
    2
}

impl Retry {
    /// These commands, at most five times.
    pub fn new(command: impl Into<String>) -> Self {
        Retry { command: command.into(), tries: five(), delay: two(), ..Self::default() }
    }

    /// Sets the maximum number of attempts.
    pub fn tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// Sets the time between two attempts, in seconds.
    pub fn delay(mut self, seconds: u32) -> Self {
        self.delay = seconds;
        self
    }

    guard_builders!();

    fn looped(&self) -> String {
        let (tries, delay) = (self.tries, self.delay);
        let command = strict_shell(&self.command, None);
        format!(
            "tried=1\nuntil {command}\ndo\nif [ $tried -ge {tries} ]\nthen\n\
             echo 'the command failed {tries} times' >&2\nexit 1\nfi\n\
             tried=$((tried + 1))\nsleep {delay}\ndone"
        )
    }

    fn guarded<'a>(&'a self, script: &'a str) -> GuardedScript<'a> {
        GuardedScript {
            action: Self::NAME,
            name: None,
            interpreter: &[],
            script,
            guards: self.guards(),
            only_looks: false,
        }
    }
}

impl Action for Retry {
    const NAME: &'static str = "retry";

    fn subject(&self) -> String {
        self.command.trim().lines().next().unwrap_or_default().to_owned()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if self.tries == 0 {
            return Err(ActionError::arguments(
                Self::NAME,
                "0 tries would never run the command; give at least 1",
            ));
        }
        self.guarded(&self.command).check()
    }

    fn needs(&self, needed: &mut Capabilities) {
        self.guarded(&self.command).needs(&self.command, needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        self.guarded(&self.command).observe(wanted);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let change = self.guarded(&self.looped()).plan(node);
        let diff: String = self.command.trim().lines().map(|line| format!("+ {line}\n")).collect();
        Ok(change.map(|change| Change {
            summary: format!("run, {} times at most", self.tries),
            ..change.with_diff(diff)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    #[test]
    fn runs_until_it_succeeds() {
        check(
            Retry::new("false\ntrue").tries(3).delay(1).env("A", "it's"),
            node(),
            expect![[r#"
            will run, 3 times at most
            + false
            + true
            ---
            printf '{ :\n%s\n} </dev/null\n' 'export A='\''it'\''\'\'''\''s'\''
            tried=1
            until printf '\''{ :\n%s\n} </dev/null\n'\'' '\''false
            true'\'' | sh -e
            do
            if [ $tried -ge 3 ]
            then
            echo '\''the command failed 3 times'\'' >&2
            exit 1
            fi
            tried=$((tried + 1))
            sleep 1
            done' | sh -e
            changed
        "#]],
        );
    }

    #[test]
    fn a_guard_decides() {
        check(
            Retry::new("false").creates("/x"),
            node().file("/x", "", 0o644),
            expect!["nothing to do"],
        );
        check(
            Retry::new("false").unless("true"),
            node().command("true", 0),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(Retry::new(" "), node(), expect!["error: retry: the script is empty"]);
        check(
            Retry::new("x").tries(0),
            node(),
            expect!["error: retry: 0 tries would never run the command; give at least 1"],
        );
    }
}

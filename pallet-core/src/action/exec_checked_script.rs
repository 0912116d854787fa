//! Runs a script that has a name, which its failure is told by. No-op: as `exec_script`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::guard_builders;
use super::guard::GuardedScript;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Runs shell commands as `exec_script` does, under a name that says what they are for: it stands
/// in the plan and in the error if they fail.
///
/// Example: `exec_checked_script(request, "install the tool", "make -C /usr/src/tool install", creates = "/usr/local/bin/tool")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecCheckedScript {
    /// What the commands are for.
    pub name: String,
    /// The commands.
    pub script: String,
    /// Nothing to do if something stands at this path.
    #[serde(default)]
    pub creates: Option<String>,
    /// Nothing to do if this command succeeds; it must only look.
    #[serde(default)]
    pub unless: Option<String>,
    /// Nothing to do if this command fails; it must only look.
    #[serde(default)]
    pub only_if: Option<String>,
    /// The directory that the commands run in.
    #[serde(default)]
    pub cwd: Option<String>,
    /// The user that the commands and the guards run as; else the one that Pallet is on the node,
    /// which is root.
    #[serde(default)]
    pub user: Option<String>,
    /// Environment variables for the commands.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Whether the commands change nothing on the node, such as a check of a configuration. What is
    /// known of the node is then known still, and the plan says of what comes after whether it
    /// changes.
    #[serde(default)]
    pub only_looks: bool,
}

impl ExecCheckedScript {
    /// Commands that always run.
    pub fn new(name: impl Into<String>, script: impl Into<String>) -> Self {
        ExecCheckedScript { name: name.into(), script: script.into(), ..Self::default() }
    }

    guard_builders!();

    /// Which change nothing on the node.
    pub fn only_looks(mut self) -> Self {
        self.only_looks = true;
        self
    }

    fn guarded(&self) -> GuardedScript<'_> {
        GuardedScript {
            action: Self::NAME,
            name: Some(&self.name),
            script: &self.script,
            interpreter: &[],
            guards: self.guards(),
            only_looks: self.only_looks,
        }
    }
}

impl Action for ExecCheckedScript {
    const NAME: &'static str = "exec_checked_script";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if self.name.trim().is_empty() || self.name.contains(['\n', '\0']) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!(
                    "the name {:?} is not one line that says what the script is for",
                    self.name
                ),
            ));
        }
        self.guarded().check()
    }

    fn claims(&self, claims: &mut Claims) {
        self.user.iter().for_each(|user| claims.user(user));
    }

    fn needs(&self, needed: &mut Capabilities) {
        self.guarded().needs(&self.script, needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        self.guarded().observe(wanted);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        Ok(self.guarded().plan(node))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    #[test]
    fn a_failure_says_the_name() {
        check(
            ExecCheckedScript::new("it's the tool", "make install").creates("/usr/bin/tool"),
            node().without_file("/usr/bin/tool"),
            expect![[r#"
                will run
                + make install
                ---
                if [ ! -e /usr/bin/tool ] && [ ! -L /usr/bin/tool ]
                then
                printf '{ :\n%s\n} </dev/null\n' 'make install' | sh -e || fail_with $? 'it'\''s the tool: the script failed'
                changed
                fi
            "#]],
        );
    }

    #[test]
    fn a_guard_decides() {
        let script = || ExecCheckedScript::new("the tool", "make install").unless("tool --version");
        check(script(), node().command("tool --version", 0), expect!["nothing to do"]);
        check(
            script(),
            node(),
            expect![[r#"
            may run
            + make install
            ---
            if ! printf '{ :\n%s\n} </dev/null\n' 'tool --version' | sh >/dev/null 2>&1
            then
            printf '{ :\n%s\n} </dev/null\n' 'make install' | sh -e || fail_with $? 'the tool: the script failed'
            changed
            fi
        "#]],
        );
    }

    #[test]
    fn what_only_looks_leaves_all_known() {
        let of = |script: ExecCheckedScript| {
            let mut state = node().file("/etc/app.conf", "", 0o644).0;
            script.plan(&mut state).expect("it can be planned").expect("it runs");
            state.file("/etc/app.conf").known().is_some()
        };
        assert!(!of(ExecCheckedScript::new("check", "app --check")));
        assert!(of(ExecCheckedScript::new("check", "app --check").only_looks()));
    }

    #[test]
    fn needs_a_name() {
        check(
            ExecCheckedScript::new(" ", "true"),
            node(),
            expect![[
                r#"error: exec_checked_script: the name " " is not one line that says what the script is for"#
            ]],
        );
    }
}

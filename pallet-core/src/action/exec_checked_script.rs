//! Runs a script under a name that is used if it fails. No-op: as `exec_script`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::guard_builders;
use super::guard::GuardedScript;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Runs shell commands like `exec_script`, under a name that says what they do. The name is shown
/// in the plan, and in the error if they fail.
///
/// Example: `exec_checked_script(request, "install the tool", "make -C /usr/src/tool install", creates = "/usr/local/bin/tool")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecCheckedScript {
    /// What the commands do.
    pub name: String,
    /// Shell commands.
    pub script: String,
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
    /// Declare that the commands change nothing on the node, for example a configuration check.
    /// Pallet then keeps what it knows of the node and can plan later actions precisely.
    #[serde(default)]
    pub only_looks: bool,
}

impl ExecCheckedScript {
    /// Commands that always run.
    pub fn new(name: impl Into<String>, script: impl Into<String>) -> Self {
        ExecCheckedScript { name: name.into(), script: script.into(), ..Self::default() }
    }

    guard_builders!();

    /// The commands change nothing on the node.
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

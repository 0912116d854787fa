//! Runs shell commands. No-op: a guard skips them; without guards they always run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::{first_line, guard_builders};
use super::guard::GuardedScript;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Runs shell commands with `sh -e`. The first command that fails ends the script, and the
/// operation fails on this node.
///
/// Use a guard (`creates`, `unless`, `only_if`) wherever possible, so that the commands run only
/// when needed. If several are given, all of them must call for the script.
///
/// Example: `exec_script(request, "curl -fsSo /usr/local/bin/tool https://example.com/tool", creates = "/usr/local/bin/tool")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecScript {
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
}

impl ExecScript {
    /// Commands that always run.
    pub fn new(script: impl Into<String>) -> Self {
        ExecScript { script: script.into(), ..Self::default() }
    }

    guard_builders!();

    fn guarded(&self) -> GuardedScript<'_> {
        GuardedScript {
            action: Self::NAME,
            name: None,
            script: &self.script,
            interpreter: &[],
            guards: self.guards(),
            only_looks: false,
        }
    }
}

impl Action for ExecScript {
    const NAME: &'static str = "exec_script";

    fn subject(&self) -> String {
        first_line(&self.script)
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
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
    use crate::model::Known;
    use expect_test::expect;

    #[test]
    fn always_runs_without_a_guard() {
        check(
            ExecScript::new("ldconfig\necho 'done'").cwd("/srv/it's").env("LANG", "C"),
            node(),
            expect![[r#"
                will run
                + ldconfig
                + echo 'done'
                ---
                printf '{ :\n%s\n} </dev/null\n' 'cd '\''/srv/it'\''\'\'''\''s'\'' || exit
                unset LC_ALL
                export LANG=C
                ldconfig
                echo '\''done'\''' | sh -e
                changed
            "#]],
        );
    }

    #[test]
    fn a_guard_that_is_known_decides() {
        let script = || {
            ExecScript::new("make install")
                .creates("/usr/bin/tool")
                .unless("tool --version")
                .only_if("test -e Makefile")
        };
        let ready = || {
            node()
                .without_file("/usr/bin/tool")
                .command("tool --version", 127)
                .command("test -e Makefile", 0)
        };
        check(script(), node().file("/usr/bin/tool", "", 0o755), expect!["nothing to do"]);
        check(script(), ready().command("tool --version", 0), expect!["nothing to do"]);
        check(script(), ready().command("test -e Makefile", 1), expect!["nothing to do"]);
        check(
            script(),
            ready(),
            expect![[r#"
                will run
                + make install
                ---
                if [ ! -e /usr/bin/tool ] && [ ! -L /usr/bin/tool ] &&
                  ! printf '{ :\n%s\n} </dev/null\n' 'tool --version' | sh >/dev/null 2>&1 &&
                  printf '{ :\n%s\n} </dev/null\n' 'test -e Makefile' | sh >/dev/null 2>&1
                then
                printf '{ :\n%s\n} </dev/null\n' 'make install' | sh -e
                changed
                fi
            "#]],
        );
    }

    #[test]
    fn a_guard_that_is_not_known_decides_on_the_node() {
        check(
            ExecScript::new("make install").cwd("/src").unless("tool --version"),
            node(),
            expect![[r#"
                may run
                + make install
                ---
                if ! printf '{ :\n%s\n} </dev/null\n' 'cd /src || exit
                tool --version' | sh >/dev/null 2>&1
                then
                printf '{ :\n%s\n} </dev/null\n' 'cd /src || exit
                make install' | sh -e
                changed
                fi
            "#]],
        );
    }

    #[test]
    fn forgets_what_it_may_have_touched() {
        let mut state = node().directory("/srv", 0o755).package("nginx", "1").0;
        ExecScript::new("true").plan(&mut state).expect("it can be planned");
        assert_eq!(state.file("/srv"), Known::Unknown);
        assert_eq!(state.package("nginx"), Known::Unknown);
    }

    #[test]
    fn refuses_what_cannot_run() {
        check(ExecScript::new(" \n"), node(), expect!["error: exec_script: the script is empty"]);
        check(
            ExecScript::new("true").env("A B", "c"),
            node(),
            expect![[r#"error: exec_script: "A B" is not a name of an environment variable"#]],
        );
        check(
            ExecScript::new("make").creates("Makefile"),
            node(),
            expect![[
                r#"error: exec_script: the path "Makefile" is not absolute; write it from /"#
            ]],
        );
    }
}

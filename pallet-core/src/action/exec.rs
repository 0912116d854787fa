//! Runs a script with any interpreter. No-op: a guard skips it; without guards it always runs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::{first_line, guard_builders};
use super::guard::GuardedScript;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Runs a script with an interpreter of the node, such as Python, Perl or bash. If it exits with a
/// code other than 0, the operation fails on this node.
///
/// Use a guard (`creates`, `unless`, `only_if`) wherever possible, so that the script runs only
/// when needed. If several are given, all of them must call for the script. The script is written
/// to a temporary file that only its user can read.
///
/// Example: `exec(request, "import os; os.makedirs('/srv/app', exist_ok = True)", interpreter = "python3", creates = "/srv/app")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// Script text.
    pub script: String,
    /// Interpreter: a name or an absolute path.
    pub interpreter: String,
    /// Options of the interpreter, passed before the script file.
    #[serde(default)]
    pub arguments: Vec<String>,
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
    /// User that runs the script and the guards. Default: the user that Pallet runs as on the node
    /// (root).
    #[serde(default)]
    pub user: Option<String>,
    /// Environment variables of the script.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

impl Exec {
    /// A script for an interpreter, which always runs.
    pub fn new(script: impl Into<String>, interpreter: impl Into<String>) -> Self {
        Exec { script: script.into(), interpreter: interpreter.into(), ..Self::default() }
    }

    /// With an option of the interpreter.
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    guard_builders!();

    fn command(&self) -> Vec<&str> {
        std::iter::once(&self.interpreter).chain(&self.arguments).map(String::as_str).collect()
    }

    fn guarded<'a>(&'a self, command: &'a [&'a str]) -> GuardedScript<'a> {
        GuardedScript {
            action: Self::NAME,
            name: None,
            script: &self.script,
            interpreter: command,
            guards: self.guards(),
            only_looks: false,
        }
    }
}

impl Action for Exec {
    const NAME: &'static str = "exec";

    fn subject(&self) -> String {
        first_line(&format!("{}: {}", self.interpreter, self.script.trim_start()))
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let program = &self.interpreter;
        if program.is_empty()
            || program.contains(char::is_whitespace)
            || program.contains('\0')
            || program.starts_with('-')
        {
            let message = format!(
                "the interpreter {program:?} is no program; give its name, and \
                its options as arguments"
            );
            return Err(ActionError::arguments(Self::NAME, message));
        }
        if self.arguments.iter().any(|argument| argument.contains('\0')) {
            return Err(ActionError::arguments(Self::NAME, "an argument holds a NUL character"));
        }
        self.guarded(&self.command()).check()
    }

    fn claims(&self, claims: &mut Claims) {
        self.user.iter().for_each(|user| claims.user(user));
    }

    fn needs(&self, needed: &mut Capabilities) {
        self.guarded(&[]).needs(&format!("{} {}", self.command().join(" "), self.script), needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        self.guarded(&self.command()).observe(wanted);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        Ok(self.guarded(&self.command()).plan(node))
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    #[test]
    fn runs_from_a_file_of_its_own() {
        check(
            Exec::new("print('it\\'s')\n", "python3").argument("-u").cwd("/srv").env("LANG", "C"),
            node(),
            expect![[r#"
            will run
            + print('it\'s')
            ---
            printf '{ :\n%s\n} </dev/null\n' 'cd /srv || exit
            unset LC_ALL
            export LANG=C
            command -v python3 >/dev/null 2>&1 || { echo '\''there is no python3 on this node; install it before'\'' >&2; exit 127; }
            directory=$(mktemp -d)
            trap '\''rm -rf -- "$directory"'\'' EXIT
            trap '\''exit 143'\'' HUP INT TERM
            printf '\''%s\n'\'' '\''print('\''\'\'''\''it\'\''\'\'''\''s'\''\'\'''\'')'\'' >"$directory/script"
            python3 -u "$directory/script"' | sh -e
            changed
        "#]],
        );
    }

    #[test]
    fn a_guard_decides() {
        let exec = || Exec::new("print(1)", "python3").creates("/srv/app");
        check(exec(), node().directory("/srv/app", 0o755), expect!["nothing to do"]);
        check(
            exec(),
            node(),
            expect![[r#"
            may run
            + print(1)
            ---
            if [ ! -e /srv/app ] && [ ! -L /srv/app ]
            then
            printf '{ :\n%s\n} </dev/null\n' 'command -v python3 >/dev/null 2>&1 || { echo '\''there is no python3 on this node; install it before'\'' >&2; exit 127; }
            directory=$(mktemp -d)
            trap '\''rm -rf -- "$directory"'\'' EXIT
            trap '\''exit 143'\'' HUP INT TERM
            printf '\''%s\n'\'' '\''print(1)'\'' >"$directory/script"
            python3 "$directory/script"' | sh -e
            changed
            fi
        "#]],
        );
    }

    #[test]
    fn what_is_no_interpreter_is_refused() {
        check(
            Exec::new("x", "python3 -u"),
            node(),
            expect![[
                r#"error: exec: the interpreter "python3 -u" is no program; give its name, and its options as arguments"#
            ]],
        );
        check(Exec::new("  ", "python3"), node(), expect!["error: exec: the script is empty"]);
    }
}

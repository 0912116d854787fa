//! Guards, which skip a script; shared by the actions that run scripts.

use std::collections::BTreeMap;

use super::file_support::{require_absolute, require_name};
use super::{ActionError, Change};
use crate::model::{Capabilities, Known};
use crate::observe::{CommandState, FileState, NodeState, Observation};
use crate::script::{Script, quote, shell, strict_shell};

/// Linux limits each argument and each environment variable to 128 KiB, including `=` and the
/// terminating NUL.
const MAX_VARIABLE: usize = 128 * 1024 - 2;

/// When, where and as whom an action runs its commands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Guards<'a> {
    pub(super) creates: Option<&'a str>,
    pub(super) unless: Option<&'a str>,
    pub(super) only_if: Option<&'a str>,
    pub(super) cwd: Option<&'a str>,
    /// The user who runs it.
    pub(super) user: Option<&'a str>,
    pub(super) environment: &'a BTreeMap<String, String>,
}

/// A script with its guards.
#[derive(Debug)]
pub(super) struct GuardedScript<'a> {
    pub(super) action: &'static str,
    /// A name for the script, for errors.
    pub(super) name: Option<&'a str>,
    pub(super) script: &'a str,
    /// The program that runs it, with its options; empty: `sh`.
    pub(super) interpreter: &'a [&'a str],
    pub(super) guards: Guards<'a>,
    /// It changes nothing, so the known state of the node stays valid.
    pub(super) only_looks: bool,
}

impl GuardedScript<'_> {
    pub(super) fn check(&self) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(self.action, message));
        if self.script.trim().is_empty() {
            return wrong("the script is empty".to_owned());
        }
        let texts = [Some(self.script), self.guards.unless, self.guards.only_if]
            .into_iter()
            .flatten()
            .chain(self.guards.environment.values().map(String::as_str));
        if texts.into_iter().any(|text| text.contains('\0')) {
            return wrong(
                "the script, its guards or its environment hold a NUL character".to_owned(),
            );
        }
        for path in self.guards.creates.iter().chain(&self.guards.cwd) {
            require_absolute(self.action, path)?;
        }
        if let Some(user) = self.guards.user {
            require_name(self.action, "user", user)?;
        }
        let is_name = |name: &String| {
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                && !name.starts_with(|first: char| first.is_ascii_digit())
        };
        if let Some((name, _)) = self
            .guards
            .environment
            .iter()
            .find(|(name, value)| name.len() + value.len() > MAX_VARIABLE)
        {
            return wrong(format!(
                "the environment variable {name} is larger than the 128 KiB that \
                Linux lets it be; write it to a file"
            ));
        }
        match self.guards.environment.keys().find(|name| name.is_empty() || !is_name(name)) {
            Some(name) => wrong(format!("{name:?} is not a name of an environment variable")),
            None => Ok(()),
        }
    }

    /// Adds the capabilities for `command` and for the commands of its guards.
    pub(super) fn needs(&self, command: &str, needed: &mut Capabilities) {
        [Some(command), self.guards.unless, self.guards.only_if]
            .into_iter()
            .flatten()
            .for_each(|command| needed.command(command));
    }

    pub(super) fn observe(&self, wanted: &mut Observation) {
        if let Some(path) = self.guards.creates {
            wanted.file(path);
        }
        for command in self.guards.unless.iter().chain(&self.guards.only_if) {
            wanted.command(&self.guard(command));
        }
    }

    /// The command of a guard, as it is observed: as the script's user, in its directory and
    /// environment.
    fn guard(&self, command: &str) -> String {
        let command = format!("{}{command}", self.setting());
        match self.guards.user {
            None => command,
            Some(_) => shell(&command, self.guards.user),
        }
    }

    /// What `sh` runs: the script itself, or commands that pass it to its interpreter in a file.
    fn body(&self) -> String {
        let Some(program) = self.interpreter.first() else { return self.script.to_owned() };
        let missing = quote(&format!("there is no {program} on this node; install it before"));
        let command = self.interpreter.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
        format!(
            "command -v {program} >/dev/null 2>&1 || {{ echo {missing} >&2; exit 127; }}\n\
             directory=$(mktemp -d)\n\
             trap 'rm -rf -- \"$directory\"' EXIT\n\
             trap 'exit 143' HUP INT TERM\n\
             printf '%s\\n' {} >\"$directory/script\"\n\
             {command} \"$directory/script\"",
            quote(self.script.trim_end_matches('\n')),
            program = quote(program),
        )
    }

    fn setting(&self) -> String {
        let cwd =
            self.guards.cwd.map(|path| format!("cd {} || exit\n", quote(path))).unwrap_or_default();
        format!("{cwd}{}", self.exports())
    }

    fn exports(&self) -> String {
        let exports = self
            .guards
            .environment
            .iter()
            .map(|(name, value)| format!("export {name}={}\n", quote(value)));
        // scripts run with LC_ALL=C, which would override a locale that was requested
        let own =
            self.guards.environment.keys().any(|name| name == "LANG" || name.starts_with("LC_"));
        own.then(|| "unset LC_ALL\n".to_owned()).into_iter().chain(exports).collect()
    }

    pub(super) fn plan(&self, node: &mut NodeState) -> Option<Change> {
        let calls = [
            self.guards
                .creates
                .map(|path| call(node.file(path), |state| *state == FileState::Absent)),
            self.guards.unless.map(|command| {
                call(node.command(&self.guard(command)), |state: &CommandState| state.exit != 0)
            }),
            self.guards
                .only_if
                .map(|command| call(node.command(&self.guard(command)), |state| state.exit == 0)),
        ];
        if calls.contains(&Some(Known::Known(false))) {
            return None;
        }
        let change = if calls.contains(&Some(Known::Unknown)) {
            Change::may("run", self.script())
        } else {
            Change::will("run", self.script())
        };
        if !self.only_looks {
            node.forget();
        }
        Some(change.with_diff(
            self.script.trim().lines().map(|line| format!("+ {line}\n")).collect::<String>(),
        ))
    }

    fn script(&self) -> Script {
        let mut conditions = Vec::new();
        if let Some(path) = self.guards.creates.map(quote) {
            conditions.push(format!("[ ! -e {path} ] && [ ! -L {path} ]"));
        }
        let looks = |command: &str| {
            format!(
                "{} >/dev/null 2>&1",
                shell(&format!("{}{command}", self.setting()), self.guards.user)
            )
        };
        conditions.extend(self.guards.unless.map(|command| format!("! {}", looks(command))));
        conditions.extend(self.guards.only_if.map(looks));
        let mut script = Script::new();
        if !conditions.is_empty() {
            script = script.raw(&format!("if {}\nthen", conditions.join(" &&\n  ")));
        }
        let run = strict_shell(&format!("{}{}", self.setting(), self.body()), self.guards.user);
        script = script.raw(&match self.name {
            Some(name) => {
                format!("{run} || fail_with $? {}", quote(&format!("{name}: the script failed")))
            }
            None => run,
        });
        script = script.raw("changed");
        if conditions.is_empty() { script } else { script.raw("fi") }
    }
}

/// Whether a guard lets the script run.
fn call<T>(state: Known<&T>, calls: impl Fn(&T) -> bool) -> Known<bool> {
    match state {
        Known::Known(state) => Known::Known(calls(state)),
        Known::Unknown => Known::Unknown,
    }
}

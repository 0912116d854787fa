//! Waits until a command succeeds. No-op: it did when the node was observed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::first_line;
use super::wait::{Wait, one, sixty, wait_builders};
use super::{Action, ActionError, Change, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};
use crate::script::{Script, shell};

/// Waits until a read-only command succeeds on the node.
///
/// Fails after a timeout. Does nothing if it succeeds already. Waiting never counts as a change.
/// The command is also run by a dry run, so it must not change anything.
///
/// Example: `wait_for_command(request, "curl -fsS http://localhost:8080/healthz", timeout = 120)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitForCommand {
    /// Shell command that succeeds when the wait is over.
    pub command: String,
    /// Maximum time to wait, in seconds. Default: 60.
    #[serde(default = "sixty")]
    pub timeout: u32,
    /// Time between two attempts, in seconds. Default: 1.
    #[serde(default = "one")]
    pub delay: u32,
    /// Maximum time of one attempt, in seconds. Then it is killed, and has failed. Default: 10.
    #[serde(default = "ten")]
    pub each: u32,
}

fn ten() -> u32 {
    10
}

/// Ends an attempt with all that it started. It runs where the functions of the library are not
/// known, and needs no timeout(1). What is stopped starts nothing new.
const END_ALL: &str = r#"attempt=$!
end_all() {
kill -STOP "$1"
for stat in /proc/[0-9]*/stat; do
read -r line <"$stat" || continue
rest=${line##*) } rest=${rest#* }
[ "${rest%% *}" != "$1" ] || end_all "${line%% *}"
done 2>/dev/null
kill -KILL "$1"
}
(trap 'kill -KILL "$!"; exit' TERM; sleep EACH & wait "$!"; end_all "$attempt") >/dev/null 2>&1 &
clock=$!
status=0
wait "$attempt" || status=$?
kill "$clock"
wait "$clock"
exit "$status""#;

impl WaitForCommand {
    /// Wait until `command` succeeds.
    pub fn new(command: impl Into<String>) -> Self {
        WaitForCommand { command: command.into(), timeout: sixty(), delay: one(), each: ten() }
    }

    wait_builders!();

    /// Sets the maximum time of one attempt, in seconds.
    pub fn each(mut self, seconds: u32) -> Self {
        self.each = seconds;
        self
    }

    fn condition(&self) -> String {
        let command = shell(&self.command, None);
        format!("{command} &\n{}", END_ALL.replace("EACH", &self.each.to_string()))
    }
}

impl Action for WaitForCommand {
    const NAME: &'static str = "wait_for_command";

    fn subject(&self) -> String {
        first_line(&self.command)
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        if self.command.trim().is_empty() || self.command.contains('\0') {
            let message = format!(
                "{:?} is not a command; give one that only reads, such as \"test -e /run/app\"",
                self.command
            );
            return Err(ActionError::arguments(Self::NAME, message));
        }
        if self.each == 0 {
            let message = "an attempt of 0 s never succeeds; give `each` at least 1";
            return Err(ActionError::arguments(Self::NAME, message));
        }
        Wait::check(Self::NAME, self.timeout, self.delay)
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.command(&self.command);
    }

    fn only_waits(&self) -> bool {
        true
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.command(&self.condition());
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let wait = Wait {
            condition: &self.condition(),
            what: &format!("`{}` to succeed", self.subject()),
            timeout: self.timeout,
            delay: self.delay,
        };
        Ok(wait.plan(node, Script::new()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::check::{check, node};
    use super::*;
    use crate::script::shells::shells;
    use expect_test::expect;

    #[test]
    fn waits_for_what_is_not_so() {
        check(
            WaitForCommand::new("test -e /run/it's").timeout(9).delay(2).each(3),
            node(),
            expect![[r#"
                may wait for `test -e /run/it's` to succeed
                ---
                condition() {
                printf '{ :\n%s\n} </dev/null\n' 'test -e /run/it'\''s' | sh &
                attempt=$!
                end_all() {
                kill -STOP "$1"
                for stat in /proc/[0-9]*/stat; do
                read -r line <"$stat" || continue
                rest=${line##*) } rest=${rest#* }
                [ "${rest%% *}" != "$1" ] || end_all "${line%% *}"
                done 2>/dev/null
                kill -KILL "$1"
                }
                (trap 'kill -KILL "$!"; exit' TERM; sleep 3 & wait "$!"; end_all "$attempt") >/dev/null 2>&1 &
                clock=$!
                status=0
                wait "$attempt" || status=$?
                kill "$clock"
                wait "$clock"
                exit "$status"
                }
                wait_for '`test -e /run/it'\''s` to succeed' 9 2
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_so() {
        check(
            WaitForCommand::new("true"),
            node().command(&WaitForCommand::new("true").condition(), 0),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            WaitForCommand::new(" "),
            node(),
            expect![
                "error: wait_for_command: \" \" is not a command; give one that only reads, such \
                 as \"test -e /run/app\""
            ],
        );
        check(
            WaitForCommand::new("true").each(0),
            node(),
            expect![
                "error: wait_for_command: an attempt of 0 s never succeeds; give `each` at least 1"
            ],
        );
        check(
            WaitForCommand::new("true").timeout(0),
            node(),
            expect![
                "error: wait_for_command: timeout 0 and delay 1 are not seconds from 1, the delay \
                 no longer than the timeout"
            ],
        );
    }

    #[test]
    fn an_attempt_that_hangs_is_ended_with_all_that_it_started() {
        for here in shells() {
            let run = |command: &str| {
                let begun = Instant::now();
                let condition = WaitForCommand::new(command).each(1).condition();
                let output = here.run(&format!("{{\n{}\n}} </dev/null\n", shell(&condition, None)));
                (output.status.code(), begun.elapsed())
            };
            for (command, exit) in [("exit 3", 3), ("true", 0), ("false; exit 0", 0)] {
                let (code, took) = run(command);
                assert_eq!(code, Some(exit), "{here}: {command}");
                assert!(took < Duration::from_millis(900), "{here}: {took:?}");
            }
            let (code, took) = run("trap '' TERM; sh -c 'sleep 7795; :'; sleep 7795");
            assert_ne!(code, Some(0), "{here}");
            assert!(took < Duration::from_secs(5), "{here}: {took:?}");
            let left = here.run("grep -lsz '^7795$' /proc/[0-9]*/cmdline | grep -v self\n");
            assert_eq!(String::from_utf8_lossy(&left.stdout), "", "{here}");
        }
    }
}

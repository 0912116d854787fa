//! Cleans up after the tests, however they end: on success, on a panic, on Ctrl-C, and when they are killed.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A process that waits for the end of its standard input, which is the end of this value or of this program, and then cleans up.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    /// Starts `command`, which must wait until its standard input ends. In a process group of its own, Ctrl-C does not reach it.
    pub(crate) fn start(command: &mut Command) -> Self {
        Guard(command.stdin(Stdio::piped()).stdout(Stdio::null()).process_group(0).spawn().expect("the guard starts"))
    }

    /// A guard that runs a command at the end, with these variables alone.
    pub(crate) fn run(command: &[&str], variables: &[(String, String)]) -> Self {
        let mut guard = Command::new("sh");
        guard.args(["-c", "trap '' INT TERM HUP; cat >/dev/null; exec \"$@\" >/dev/null 2>&1", "sh"]).args(command);
        guard.env_clear().envs(variables.iter().cloned());
        Guard::start(&mut guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

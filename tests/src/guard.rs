//! Cleans up after tests, whether they succeed, panic, are interrupted, or are killed.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A process that cleans up when its stdin closes, which is when this value is dropped or this
/// program ends.
#[derive(Debug)]
pub(crate) struct Guard(Child);

const CLEAN_UP: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
"$@" >/dev/null 2>&1
grep -qF "$HOME" /proc/self/mountinfo || rm -rf --one-file-system "$HOME"
"#;

impl Guard {
    /// Starts `command`, which must wait until its standard input ends. In a process group of its
    /// own, Ctrl-C does not reach it.
    pub(crate) fn start(command: &mut Command) -> Self {
        Guard(
            command
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .process_group(0)
                .spawn()
                .expect("the guard starts"),
        )
    }

    /// A guard that finally runs a command, with only these variables, and removes their `HOME` if
    /// nothing is mounted there.
    pub(crate) fn run(command: &[&str], variables: &[(String, String)]) -> Self {
        let mut guard = Command::new("sh");
        guard.args(["-c", CLEAN_UP, "sh"]).args(command);
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

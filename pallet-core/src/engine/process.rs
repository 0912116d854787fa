//! Whether a process that left its number somewhere still runs.

use rustix::process::{Pid, test_kill_process};

/// A process, as it is named in a lease or in a journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedProcess<'a> {
    /// Its machine since the last boot; empty if unknown.
    pub(super) machine: &'a str,
    /// Its number there.
    pub(super) number: u32,
}

impl NamedProcess<'_> {
    /// Whether it ran on this machine, where it can be looked for.
    pub(super) fn is_of(&self, machine: &str) -> bool {
        !self.machine.is_empty() && self.machine == machine
    }

    /// Whether it was a process on this machine that no longer exists.
    pub(super) fn is_dead(&self, machine: &str) -> bool {
        let process = i32::try_from(self.number).ok().and_then(Pid::from_raw);
        let gone = process
            .is_some_and(|process| test_kill_process(process) == Err(rustix::io::Errno::SRCH));
        self.is_of(machine) && gone
    }
}

//! Whether a process that left its number somewhere still runs.

use rustix::process::{Pid, test_kill_process};

/// A process, as it is named in a lease or in a journal.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedProcess<'a> {
    /// Its machine since the last boot; empty if unknown.
    pub(super) machine: &'a str,
    /// Its number there.
    pub(super) number: u32,
    /// When it began, in clock ticks since the machine's boot, if known.
    pub(super) began: Option<u64>,
}

impl NamedProcess<'_> {
    /// When a process of this machine began, in clock ticks since the machine's boot.
    pub(super) fn began(number: u32) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // its name, in parentheses, may hold anything
        let (_, fields) = stat.rsplit_once(')')?;
        fields.split_whitespace().nth(19)?.parse().ok()
    }

    /// Whether it ran on this machine, where it can be looked for.
    pub(super) fn is_of(&self, machine: &str) -> bool {
        !self.machine.is_empty() && self.machine == machine
    }

    /// Whether it was a process on this machine that no longer exists.
    pub(super) fn is_dead(&self, machine: &str) -> bool {
        let process = i32::try_from(self.number).ok().and_then(Pid::from_raw);
        let gone = process
            .is_some_and(|process| test_kill_process(process) == Err(rustix::io::Errno::SRCH));
        let another = || self.began.is_some_and(|began| Self::began(self.number) != Some(began));
        self.is_of(machine) && (gone || another())
    }
}

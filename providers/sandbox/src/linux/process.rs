//! The first process of a node, as seen from the machine.

use std::fs;
use std::time::{Duration, Instant};

use pallet_core::prelude::*;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// A process. Its start time distinguishes it from a later one with the same pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Process {
    pub(crate) pid: u32,
    /// In clock ticks since boot.
    pub(crate) start: u64,
}

impl Process {
    /// The current process with this pid.
    pub(crate) fn now(pid: u32) -> Option<Process> {
        start_time(pid).map(|start| Process { pid, start })
    }

    pub(crate) fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.start)
    }

    /// Kills the process, and thereby all processes of its namespace.
    pub(crate) fn kill(self) -> Result<()> {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else { return Ok(()) };
        // opens the handle before the check, so that the signal cannot reach another process
        let Ok(handle) = pidfd_open(pid, PidfdFlags::empty()) else { return Ok(()) };
        if self.is_alive() {
            match pidfd_send_signal(&handle, Signal::KILL) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot kill process {}", self.pid));
                }
            }
        }
        Ok(())
    }

    /// Waits until the process has ended, which happens after all others of its namespace.
    pub(crate) fn wait(self) -> Result<()> {
        let start = Instant::now();
        while self.is_alive() {
            ensure!(
                start.elapsed() < Duration::from_secs(20),
                "process {} does not end, though it was killed",
                self.pid
            );
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

/// When the process started; `None` if it does not exist or is a zombie.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name may contain anything, even `)`; after it, the state is the first field, and the
    // start time the twentieth
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") { None } else { fields.nth(18)?.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_another_with_its_number() {
        let me = Process::now(std::process::id()).unwrap();
        assert!(me.is_alive());
        assert!(!Process { start: me.start + 1, ..me }.is_alive());
        assert_eq!(Process::now(0), None);
    }

    #[test]
    fn a_killed_process_is_gone() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let process = Process::now(child.id()).unwrap();
        Process { start: process.start + 1, ..process }.kill().unwrap();
        assert!(process.is_alive(), "another process with the same number is left alone");
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(!process.is_alive());
        child.wait().unwrap();
    }
}

//! Processes of machines, found by their pid file, whose path is also on their command line.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;
use rustix::process::{Pid, Signal, kill_process};

/// How long a machine may take to write its data to disk.
const GRACE: Duration = Duration::from_secs(10);

/// The pid file of the machine in `directory`.
pub(crate) fn pid_file(directory: &Path) -> PathBuf {
    directory.join("pid")
}

/// The process of the machine in `directory`, if it runs. Only its command line contains the path
/// of the pid file, so a reused process id is noticed.
pub(crate) fn of(directory: &Path) -> Option<Pid> {
    let text = fs::read_to_string(pid_file(directory)).ok()?;
    let pid = Pid::from_raw(text.trim().parse().ok()?)?;
    is_of(pid, directory).then_some(pid)
}

/// Ends all processes of the machine in `directory`: first with SIGTERM, then with SIGKILL.
pub(crate) fn end(directory: &Path) -> Result<()> {
    // a process that was just started has no pid file yet
    let all = || -> Vec<Pid> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids =
            entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
        pids.filter(|pid| is_of(*pid, directory)).collect()
    };
    let mut left = all();
    let start = Instant::now();
    for signal in [Signal::TERM, Signal::KILL] {
        for pid in left.iter().filter(|pid| is_of(**pid, directory)) {
            // it may already have ended
            let _ = kill_process(*pid, signal);
        }
        let until = start.elapsed() + GRACE;
        while !left.is_empty() && start.elapsed() < until {
            std::thread::sleep(Duration::from_millis(20));
            left.retain(|pid| !has_ended(*pid));
        }
    }
    if let Some(pid) = left.first() {
        bail!("process {} of {} cannot be ended", pid.as_raw_nonzero(), directory.display());
    }
    // a process that forked while the first one was ended
    if all().is_empty() { Ok(()) } else { end(directory) }
}

/// Whether a process has released its files and ports. Its command line is gone earlier than those.
fn has_ended(pid: Pid) -> bool {
    let stat =
        fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    // the state follows the name, which may contain anything
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
}

fn is_of(pid: Pid, directory: &Path) -> bool {
    let words = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let own = pid_file(directory);
    words.split(|byte| *byte == 0).any(|word| word == own.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_known_by_its_command_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path();
        assert_eq!(of(path), None);
        // a process id that now belongs to another process
        fs::write(pid_file(path), std::process::id().to_string()).unwrap();
        assert_eq!(of(path), None);

        let mut shell = Command::new("sh");
        // a process that ignores SIGTERM
        shell
            .args(["-c", "trap '' TERM; echo ready; read line", "sh"])
            .arg(pid_file(path))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = shell.spawn().unwrap();
        let mut line = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
        fs::write(pid_file(path), format!("{}\n", child.id())).unwrap();
        assert_eq!(of(path), Some(Pid::from_child(&child)));
        let waiting = std::thread::spawn(move || child.wait());
        end(path).unwrap();
        assert_eq!(of(path), None);
        assert!(!waiting.join().unwrap().unwrap().success());
        end(path).unwrap();
    }
}

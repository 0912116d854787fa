//! Waits until nodes with systemd have booted.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use pallet_core::prelude::*;

use crate::linux::console::{Console, last_lines};
use crate::linux::machine;
use crate::linux::node::WAITER;
use crate::linux::process::Process;

/// The pause between two looks at a node.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits in the node for the end of its boot, prints its result, and removes the console: nobody
/// reads it any more.
const WAIT: &str = r#"
state=$(systemctl is-system-running --wait 2>/dev/null)
case $state in running | degraded) ! umount /dev/console || rm -f /dev/console ;; esac 2>/dev/null
echo "$state"
"#;

/// The start of systemd in a node.
pub(crate) struct Boot {
    pub(crate) process: Process,
    /// The node's log.
    pub(crate) log: PathBuf,
    /// Its console; `None` if another process started the node.
    pub(crate) console: Option<Console>,
}

impl Boot {
    /// Waits until systemd has started everything. Units may have failed.
    pub(crate) fn wait(mut self, patience: Duration, host: &ServiceHost) -> Result<()> {
        let end = Instant::now() + patience;
        let mut waiting: Option<Waiting> = None;
        let mut state = "starting".to_owned();
        loop {
            if let Some(console) = &mut self.console {
                console.drain();
            }
            ensure!(
                !host.is_cancelled(),
                PluginError::cancelled("it was not waited for: the operation was stopped")
            );
            if !self.process.is_alive() {
                return Err(self.failed("its systemd ended while it booted"));
            }
            match &mut waiting {
                None if self.answers() => waiting = Some(Waiting::start(self.process)?),
                None => {}
                Some(child) => {
                    if let Some(said) = child.result()? {
                        waiting = None;
                        match said.as_str() {
                            "running" | "degraded" => return Ok(()),
                            "maintenance" | "stopping" => return Err(self.not_booted(&said)),
                            // systemd does not listen yet
                            "" | "offline" | "unknown" => {}
                            _ => state = said,
                        }
                    }
                }
            }
            if Instant::now() > end {
                // another process started it: it may run like this for long
                if self.console.is_none() {
                    return Ok(());
                }
                let limit = patience.as_secs();
                return Err(self.not_booted(&format!("{state} after {limit} s")));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Whether systemd has opened the socket that `systemctl` uses.
    fn answers(&self) -> bool {
        let socket = format!("/proc/{}/root/run/systemd/private", self.process.pid);
        Path::new(&socket).exists()
    }

    fn not_booted(&self, state: &str) -> anyhow::Error {
        self.failed(&format!("its systemd has not booted, it is {state}"))
    }

    fn failed(&self, how: &str) -> anyhow::Error {
        // other nodes may have taken the last ones, which the log does not tell
        if let Err(reason) = machine::inotify_instances(1) {
            return reason.context(how.to_owned());
        }
        anyhow!("{how}: {}", last_lines(&self.log))
    }
}

/// A command in the node that waits for the end of its boot.
struct Waiting(Child);

impl Waiting {
    fn start(process: Process) -> Result<Waiting> {
        let pid = process.pid.to_string();
        let child = Command::new("nsenter")
            .args(["--target", &pid, "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"])
            .args(WAITER)
            .args(["sh", "-c", WAIT])
            .env_clear()
            .env("PATH", machine::PATH)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `nsenter`")?;
        Ok(Waiting(child))
    }

    /// What it said, if it has ended.
    fn result(&mut self) -> Result<Option<String>> {
        if self.0.try_wait()?.is_none() {
            return Ok(None);
        }
        let mut said = String::new();
        if let Some(output) = &mut self.0.stdout {
            output.read_to_string(&mut said)?;
        }
        Ok(Some(said.trim().to_owned()))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // fails if it has ended; what it started in the node ends by itself
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

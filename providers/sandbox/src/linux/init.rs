//! Starts a node: creates its namespaces and its first process, which then waits for its network.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use pallet_core::prelude::*;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::linux::console::Console;
use crate::linux::disk::Layout;
use crate::linux::machine;
use crate::linux::process::Process;
use crate::linux::store::Record;
use crate::options::Init;

/// The file in the node's directory with what its first process says.
pub(crate) const LOG: &str = "log";

const INIT: &str = include_str!("init.sh");

/// The shell that `unshare` executes: its first child is the first process of the new namespaces,
/// and outlives the shell. A shell gives background commands no stdin, hence the extra descriptor.
const LAUNCH: &str = r#"exec 3<&0; sh -c "$INIT" pallet-node "$@" <&3 3<&- & exec 3<&-"#;

/// Puts the launcher into the node's control group. Only what is in it before its namespace is
/// created sees it as the root.
const JOIN: &str = r#"echo 0 >"$GROUP/cgroup.procs" && exec "$@""#;

const PATIENCE: Duration = Duration::from_secs(60);

/// The capabilities of nodes: those that affect only the node itself. Without sys_admin there are
/// no mounts, without mknod no devices, and without sys_module, sys_boot, sys_time and syslog no
/// access to the machine.
const CAPABILITIES: &str = "-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,\
    +setuid,+setpcap,+net_bind_service,\
    +net_broadcast,+net_admin,+net_raw,+ipc_lock,+ipc_owner,+sys_chroot,+sys_ptrace,+sys_nice,\
    +sys_resource,+audit_write,+setfcap,+lease";

/// What systemd and its units need in addition. With sys_admin there are mounts: root in such a
/// node can reach everything that root of the machine can.
const CAPABILITIES_OF_SYSTEMD: &str =
    ",+sys_admin,+mknod,+dac_read_search,+linux_immutable,+audit_control,+sys_tty_config";

/// A node that is being started. If it is dropped before [`go`](Starting::go), the node ends, and
/// only its disk remains.
pub(crate) struct Starting {
    launcher: Child,
    input: ChildStdin,
    output: ChildStdout,
    received: Vec<u8>,
    log: PathBuf,
}

impl Starting {
    /// Starts the node whose files are in `directory`.
    pub(crate) fn spawn(
        directory: &Path,
        record: &Record,
        layout: &Layout,
        new: bool,
        resolve: &str,
    ) -> Result<Starting> {
        let log = directory.join(LOG);
        let errors = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&log)
            .context("cannot open its log")?;
        let hidden: Vec<_> = layout.hidden.iter().map(|path| path.to_string_lossy()).collect();
        let mut launcher = Command::new("setsid");
        if record.cgroup.is_some() {
            launcher.args(["sh", "-c", JOIN, "pallet-node", "unshare", "-C"]);
        } else {
            launcher.arg("unshare");
        }
        let mut launcher = launcher
            .args(["-m", "-u", "-i", "-n", "-p", "sh", "-c", LAUNCH, "pallet-node"])
            .args(&layout.volumes)
            .current_dir(directory)
            .env_clear()
            .env("PATH", machine::PATH)
            .env("INIT", INIT)
            .env("NAME", &record.name)
            .env("ADDRESS", record.address.to_string())
            .env("ID", &record.id)
            .env("NEW", if new { "yes" } else { "" })
            .env("MEMORY", if record.disk_in_memory { "yes" } else { "" })
            .env("HIDDEN", hidden.join("\n"))
            .env("RESOLVE", resolve)
            .env("CONFINE", confinement(&record.root, record.init).join(" "))
            .env("SYSTEMD", if record.init == Init::Systemd { "yes" } else { "" })
            .env("GROUP", record.cgroup.as_deref().unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .context("cannot start `setsid unshare`")?;
        match (launcher.stdin.take(), launcher.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(Starting { launcher, input, output, received: Vec::new(), log })
            }
            _ => bail!("its first process has no pipes"),
        }
    }

    /// Its first process, after its namespaces were created.
    pub(crate) fn process(&mut self) -> Result<Process> {
        let line = self.line()?;
        let pid = line.strip_prefix("pid ").and_then(|pid| pid.parse().ok());
        let process = pid.and_then(Process::now);
        process.ok_or_else(|| anyhow!("its first process ended at once: {}", self.last_words()))
    }

    /// Waits until its root is ready.
    pub(crate) fn built(&mut self) -> Result<()> {
        let line = self.line()?;
        ensure!(line == "built", "its first process said `{line}` instead of `built`");
        Ok(())
    }

    /// Lets it continue, with a terminal of the node as its console, if it needs one. Its record
    /// must be saved before this.
    pub(crate) fn go(mut self, console: Option<&Console>) -> Result<()> {
        let terminal = console.map(|console| format!(" {}", console.terminal)).unwrap_or_default();
        self.input
            .write_all(format!("go{terminal}\n").as_bytes())
            .context("its first process ended before it could run")?;
        Ok(())
    }

    /// The next line of its output.
    fn line(&mut self) -> Result<String> {
        let start = Instant::now();
        loop {
            if let Some(end) = self.received.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.received.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            let left = Timespec::try_from(left).unwrap_or_default();
            let ready = poll(&mut [PollFd::new(&self.output, PollFlags::IN)], Some(&left));
            if matches!(ready, Err(rustix::io::Errno::INTR)) {
                continue;
            }
            ensure!(
                ready? > 0,
                "its root was not ready within {} s: {}",
                PATIENCE.as_secs(),
                self.last_words()
            );
            let mut buffer = [0; 256];
            match self.output.read(&mut buffer)? {
                0 => return Err(self.failure()),
                length => self.received.extend(buffer.iter().take(length)),
            }
        }
    }

    /// The reason why it ended, as far as it is known.
    fn failure(&self) -> anyhow::Error {
        let words = self.last_words();
        if words.contains("unshare failed") {
            return machine::cannot(&format!(
                "may not create namespaces on this machine ({words})"
            ));
        }
        if !machine::has_overlay() {
            return machine::cannot(&format!(
                "needs overlayfs, which this kernel does not have ({words})"
            ));
        }
        anyhow!("its first process failed: {words}")
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        log.lines()
            .rfind(|line| !line.trim().is_empty())
            .unwrap_or("it said nothing")
            .trim()
            .to_owned()
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        // the launcher ended right after it created the first process
        let _ = self.launcher.wait();
    }
}

/// The command that drops all capabilities except those of nodes, if the image has it.
pub(crate) fn confinement(root: &Path, init: Init) -> Vec<String> {
    let more = if init == Init::Systemd { CAPABILITIES_OF_SYSTEMD } else { "" };
    // busybox's setpriv, a link, does not support this
    let real = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file());
    if ["usr/bin/setpriv", "bin/setpriv"].iter().any(|path| real(&root.join(path))) {
        vec![
            "setpriv".to_owned(),
            format!("--bounding-set={CAPABILITIES}{more}"),
            "--inh-caps=-all".to_owned(),
        ]
    } else {
        Vec::new()
    }
}

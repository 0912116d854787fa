//! ProxyCommand: a local command whose stdin and stdout lead to a host.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

/// How long a command may take to exit after its output has ended.
const ENDING: Duration = Duration::from_secs(1);

/// A command that carries a session. Dropping it kills its process group.
#[derive(Debug)]
pub(super) struct ProxyCommand {
    child: Child,
    /// The last line that it wrote to stderr.
    said: Arc<Mutex<String>>,
}

impl ProxyCommand {
    /// Starts `command` in a shell. The socket is its stdin and stdout.
    pub(super) fn start(command: &str) -> std::io::Result<(Self, UnixStream)> {
        let (near, far) = StdUnixStream::pair()?;
        near.set_nonblocking(true)?;
        let input = OwnedFd::from(far.try_clone()?);
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::from(input))
            .stdout(Stdio::from(OwnedFd::from(far)))
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let said = Arc::default();
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(listen(errors, Arc::clone(&said)));
        }
        Ok((ProxyCommand { child, said }, UnixStream::from_std(near)?))
    }

    /// Why the command failed, if it did. Call this once the connection has ended.
    pub(super) async fn failure(&mut self) -> Option<String> {
        let status = timeout(ENDING, self.child.wait()).await.ok()?.ok()?;
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match (status.success(), said.is_empty()) {
            (true, _) => None,
            (false, true) => Some(status.to_string()),
            (false, false) => Some(format!("{said} ({status})")),
        }
    }
}

impl Drop for ProxyCommand {
    fn drop(&mut self) {
        // a child that was reaped has no id: its number may belong to another process
        if let Some(group) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Keeps the last line of stderr. It reads continuously, so that the command never blocks on it.
async fn listen(errors: ChildStderr, said: Arc<Mutex<String>>) {
    let mut lines = BufReader::new(errors).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if !line.trim().is_empty() {
            line.trim().clone_into(&mut said.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

//! What `[[on_finish]]` tells when an operation has ended: a command, a webhook, or a chat.

use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use pallet_core::engine::Totals;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};

use super::notices::{LOOK, Until};
use super::trace::Trace;
use crate::output::history::counted;
use crate::project::config::When;

/// Maximum number of failed nodes that a summary lists.
const LISTED: usize = 100;

/// What is told of an operation.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    /// The operation in one object.
    pub(super) json: Value,
    /// The same in one line.
    #[cfg_attr(not(feature = "telemetry"), allow(dead_code, reason = "only chats show it"))]
    line: String,
    result: &'static str,
    totals: Totals,
    changes: usize,
}

impl Summary {
    pub(super) fn of(project: &str, user: &str, host: &str, trace: &Trace) -> Self {
        let totals = trace.totals.unwrap_or_default();
        let result = match (totals.ok, totals.cancelled) {
            (true, _) => "ok",
            (_, true) => "stopped",
            _ => "failed",
        };
        let bad = trace.nodes.iter().filter(|(_, node)| node.error.is_some());
        let failed: Vec<_> = bad
            .take(LISTED)
            .map(|(name, node)| {
                let error = node.error.clone().unwrap_or_default();
                json!({
                    "node": name, "group": node.group, "error": error.message,
                    "phase": error.phase, "action": error.action,
                })
            })
            .collect();
        let counts = counted(&totals).unwrap_or_else(|| "none".to_owned());
        Summary {
            line: format!(
                "{} of {project} by {user} on {host}: {result}; nodes: {counts} ({:.1} s)",
                trace.kind,
                trace.time.seconds()
            ),
            json: json!({
                "operation": trace.id,
                "kind": trace.kind.to_string(),
                "project": project,
                "user": user,
                "host": host,
                "began": humantime::format_rfc3339_millis(trace.time.begin).to_string(),
                "seconds": trace.time.seconds(),
                "result": result,
                "totals": totals,
                "changes": trace.changes,
                "failed": failed,
            }),
            result,
            totals,
            changes: trace.changes,
        }
    }

    /// Whether it is worth a notice.
    pub(super) fn is_for(&self, when: &[When]) -> bool {
        let Totals { changed, created, destroyed, .. } = self.totals;
        when.iter().any(|when| match when {
            When::Always => true,
            When::Failed => !self.totals.ok,
            When::Changed => self.changes + changed + created + destroyed > 0,
        })
    }

    /// The message of a chat. Names of nodes and of users cannot mention anybody in it, and nothing
    /// that a node printed is in it.
    #[cfg(feature = "telemetry")]
    pub(super) fn chat(&self) -> Value {
        let text = self.line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        json!({"text": text})
    }

    /// Runs a command, with the object as its standard input.
    pub(super) fn run(
        &self,
        command: &str,
        directory: &PathBuf,
        until: &Until,
    ) -> anyhow::Result<()> {
        // what it prints is a message of this program; its output is the operation's
        let errors = std::io::stderr().as_fd().try_clone_to_owned();
        let text = |key: &str| self.json[key].as_str().unwrap_or_default().to_owned();
        let child = Command::new("sh")
            .args(["-c", command])
            .current_dir(directory)
            .env("PALLET_OPERATION", text("operation"))
            .env("PALLET_KIND", text("kind"))
            .env("PALLET_PROJECT", text("project"))
            .env("PALLET_RESULT", self.result)
            .stdin(Stdio::piped())
            .stdout(errors.map_or_else(|_| Stdio::null(), Stdio::from))
            .process_group(0)
            .spawn();
        let mut child = child.context("cannot run it")?;
        if let Some(mut input) = child.stdin.take() {
            let text = format!("{}\n", self.json);
            // a command need not read it, and may end before
            std::thread::spawn(move || drop(input.write_all(text.as_bytes())));
        }
        loop {
            match child.try_wait().context("cannot wait for it")? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("it failed: {status}"),
                None => {}
            }
            if let Some(why) = until.over() {
                // both fail if it has just ended
                let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
                let _ = child.wait();
                bail!("{why}");
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Sends an object to a URL, which is not shown: it may be a secret.
#[cfg(feature = "telemetry")]
pub(super) fn post(url: &str, object: &Value) -> anyhow::Result<()> {
    let headers = [("content-type", "application/json")];
    let http = crate::http::Http::new(None)?;
    let sent = http.send("POST", url, &headers, Some(object.to_string().as_bytes()));
    let status = sent.context("it cannot be sent")?.status;
    if !(200..300).contains(&status) {
        bail!("it is refused: status {status}");
    }
    Ok(())
}

//! systemd: the manager of the system, or that of the user.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

/// Where a running systemd of the system shows itself.
const RUNNING: &str = "/run/systemd/system";

/// The manager of the system, or that of the user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Systemd {
    pub(super) user: bool,
}

impl Systemd {
    /// Whether systemd runs on this machine.
    pub(super) fn runs() -> bool {
        Path::new(RUNNING).is_dir()
    }

    /// Runs systemctl, and returns its output.
    pub(super) fn call(self, words: &[&str]) -> anyhow::Result<String> {
        let manager = if self.user { "--user" } else { "--system" };
        output("systemctl", &[&[manager, "--no-ask-password"], words].concat())
    }

    /// Properties of a unit, in the order of their names.
    pub(super) fn properties(self, unit: &str, names: &[&str]) -> anyhow::Result<Vec<String>> {
        let told = self.call(&["show", "--property", &names.join(","), "--", unit])?;
        let value = |name: &&str| {
            let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().to_owned()
        };
        Ok(names.iter().map(value).collect())
    }

    /// Whether the unit is enabled and waits.
    pub(super) fn waits(self, unit: &str) -> bool {
        let [enabled, active] = ["is-enabled", "is-active"].map(|verb| self.call(&[verb, unit]));
        enabled.is_ok() && active.is_ok()
    }
}

/// Refuses what is no calendar expression, if systemd is there to tell.
pub(super) fn check_calendar(when: &str) -> anyhow::Result<()> {
    match Command::new("systemd-analyze").args(["calendar", "--", when]).output() {
        Ok(answer) if !answer.status.success() => {
            let why = String::from_utf8_lossy(&answer.stderr);
            let why = why.lines().next().unwrap_or_default();
            bail!("--calendar {when:?}: {why}; write it as in \"Mon..Fri 06:00\" or \"daily\"")
        }
        _ => Ok(()),
    }
}

fn output(program: &str, words: &[&str]) -> anyhow::Result<String> {
    let shown = || format!("{program} {}", words.join(" "));
    let answer = Command::new(program)
        .args(words)
        .env("LC_ALL", "C.UTF-8")
        .output()
        .with_context(|| format!("cannot run {}", shown()))?;
    if !answer.status.success() {
        let why = String::from_utf8_lossy(&answer.stderr);
        bail!("{} failed: {}", shown(), why.trim().replace('\n', "; "));
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

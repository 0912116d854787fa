//! Secrets that a command prints: those of pass, 1Password and other password managers.

use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};

use super::found::{Found, text_of};
use super::source::{SecretFinder, Source};

/// Timeout of a command that prints a secret: it may have to ask a person.
const LIMIT: Duration = Duration::from_secs(120);

/// A shell command that prints a secret.
pub(super) struct Printed<'a> {
    pub(super) finder: &'a SecretFinder,
    pub(super) command: &'a str,
}

impl Source for Printed<'_> {
    fn shown(&self) -> String {
        format!("the command {:?}", self.command)
    }

    fn identity(&self) -> Option<String> {
        Some(format!("command {} {}", self.finder.directory.display(), self.command))
    }

    fn look_up(&self) -> anyhow::Result<Found> {
        let mut child = Command::new("sh");
        child.args(["-c", self.command]).current_dir(&self.finder.directory);
        let what = format!("{} that should print a secret", self.shown());
        let run = run(&mut child, Stdio::inherit(), &what)?;
        ensure!(run.status.success(), "{what} failed: {}", run.status);
        Ok(Found::text(run.printed?))
    }
}

/// A program that has ended.
pub(super) struct Run {
    pub(super) status: ExitStatus,
    /// What it printed.
    pub(super) printed: anyhow::Result<String>,
    /// The beginning of its error messages, if they are a pipe.
    pub(super) errors: String,
}

/// Runs a program that prints a secret, within [`LIMIT`]. `what` names it for errors.
pub(super) fn run(program: &mut Command, errors: Stdio, what: &str) -> anyhow::Result<Run> {
    let child = program.stdout(Stdio::piped()).stderr(errors).spawn();
    let mut child = child.with_context(|| format!("cannot run {what}"))?;
    let _: Option<ChildStdin> = child.stdin.take();
    let output = child.stdout.take().context("the output of a command")?;
    let errors = child.stderr.take().map(|errors| {
        let (sender, told) = channel();
        std::thread::spawn(move || sender.send(text_of(errors, what_it_told())));
        told
    });
    let (sender, printed) = channel();
    let name = format!("what {what} printed");
    std::thread::spawn(move || sender.send(text_of(output, &name)));
    let printed = printed.recv_timeout(LIMIT);
    if !matches!(printed, Ok(Ok(_))) {
        // fails if it has already ended
        let _ = child.kill();
    }
    let status = wait(&mut child).with_context(|| format!("cannot wait for {what}"))?;
    let printed = printed
        .map_err(|_| anyhow!("{what} did not end within {} s", LIMIT.as_secs()))
        .and_then(|printed| printed);
    // what it left running may keep its errors open
    let errors = errors.and_then(|told| told.recv_timeout(Duration::from_secs(1)).ok());
    let errors = errors.and_then(Result::ok).unwrap_or_default();
    Ok(Run { status, printed, errors })
}

/// How long a program may take to end once it has closed its output.
const ENDING: Duration = Duration::from_secs(5);

/// Waits for a program that has closed its output; one that does not end is killed.
fn wait(child: &mut Child) -> std::io::Result<ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if begun.elapsed() > ENDING {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn what_it_told() -> &'static str {
    "the errors of a program"
}

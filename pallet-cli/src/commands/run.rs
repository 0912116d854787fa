//! `pallet-cli run`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use pallet_core::engine::{Event, RunAs, RunOptions, shell_line};

use super::operation::drive;
use crate::context::Context;
use crate::error::{INTERRUPTED, SOME_NODE_FAILED};
use crate::output::run_result::{live_line, run_result};

/// Run a command on nodes, and show what it printed, nodes whose results are equal together
///
/// A command of one word is a line of shell: `run web -- 'df -h | tail -1'`. Several words are a program and its arguments, as they stand. It does not
/// wait for an operation that is changing the node, and it is recorded nowhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The groups and nodes
    #[arg(value_name = "GROUP|NODE", required_unless_present = "all")]
    names: Vec<String>,
    /// On all nodes of all groups
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Run this file of this machine there instead of a command; `-` is standard input. Its first line may name what runs it: `#!/usr/bin/python3`
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    script: Option<PathBuf>,
    /// Run as this user [default: root, by sudo where it is needed]
    #[arg(long = "as", value_name = "USER", visible_alias = "user")]
    user: Option<String>,
    /// Run as whoever logs in
    #[arg(long, conflicts_with = "user")]
    no_sudo: bool,
    /// Work on so many nodes at once
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    parallel: u16,
    /// End it on a node where it takes longer
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// The command
    #[arg(last = true, value_name = "COMMAND", required_unless_present = "script")]
    command: Vec<String>,
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let script = match &self.script {
            Some(file) => read(file)?,
            None => shell_line(&self.command),
        };
        let loaded = context.load(context.registry(false)?)?;
        let user = match (self.user, self.no_sudo) {
            (Some(user), _) => RunAs::User(user),
            (None, true) => RunAs::Login,
            (None, false) => RunAs::Admin,
        };
        let options = RunOptions {
            script,
            nodes: self.names,
            parallel: self.parallel.into(),
            user,
            timeout: self.timeout.map(|seconds| Duration::from_secs(seconds.into())),
        };
        let start = Instant::now();
        let progress = Arc::new(context.printer.progress());
        let (told, printer) = (progress.clone(), context.printer.clone());
        let live = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let shown = live.clone();
        let events = Arc::new(move |event: Event| {
            if let Event::Started { nodes, .. } = &event {
                shown.store(printer.shows_lines(nodes.len()), std::sync::atomic::Ordering::Relaxed);
            }
            match &event {
                Event::Output { node, line, .. } if shown.load(std::sync::atomic::Ordering::Relaxed) => told.line(&live_line(node, line)),
                event => told.event(event),
            }
        });
        let outcome =
            drive(context, &loaded, &progress, events, async |engine| engine.run_command(&loaded.project.groups, &options).await)?;
        let failed = outcome.nodes.iter().filter(|node| node.exit != Some(0)).count();
        let seconds = start.elapsed().as_secs_f64();
        progress.event(&Event::Finished {
            ok: outcome.ok(),
            changed: 0,
            unchanged: outcome.nodes.len() - failed,
            failed,
            created: 0,
            destroyed: 0,
            seconds,
        });
        if !context.printer.json() {
            let outputs = !live.load(std::sync::atomic::Ordering::Relaxed);
            context.printer.text(&run_result(&context.printer, &outcome, outputs, seconds));
        }
        Ok(match (outcome.cancelled, outcome.ok()) {
            (true, _) => ExitCode::from(INTERRUPTED),
            (false, true) => ExitCode::SUCCESS,
            (false, false) => ExitCode::from(SOME_NODE_FAILED),
        })
    }
}

/// The text of a script; `-` is standard input.
fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let shown = if file == Path::new("-") { "standard input".to_owned() } else { file.display().to_string() };
    match file == Path::new("-") {
        true => std::io::stdin().lock().read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
    }
    .with_context(|| format!("cannot read the script {shown}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => bail!("the script {shown} is not UTF-8 text; copy a program with `pallet-cli cp` and run it there"),
    }
}

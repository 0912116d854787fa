//! `pallet-cli run`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use pallet_core::engine::{RunAs, RunOptions, shell_line};

use super::operation::drive;
use crate::context::Context;
use crate::operation::code;
use crate::session::run_file;

/// Run a command on nodes, and show what it printed, nodes whose results are equal together; or run
/// a script: `run FILE.star`
///
/// A command of one word is a line of shell: `run web -- 'df -h | tail -1'`. Several words are a
/// program and its arguments, as they stand. It does not wait for an operation that is changing the
/// node, and it is recorded nowhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The groups and nodes; or a file of Starlark that is run with the functions of the prompt
    /// (`pallet-cli repl`)
    #[arg(value_name = "GROUP|NODE|FILE.star", required_unless_present = "all")]
    names: Vec<String>,
    /// On all nodes of all groups
    #[arg(long, conflicts_with = "names")]
    all: bool,
    /// Run this file of this machine there instead of a command; `-` is standard input. Its first
    /// line may name what runs it: `#!/usr/bin/python3`
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    script: Option<PathBuf>,
    /// Run as this user [default: root, by sudo where it is needed]
    #[arg(long = "as", value_name = "USER", visible_alias = "user")]
    user: Option<String>,
    /// Run as whoever logs in
    #[arg(long, conflicts_with = "user")]
    no_sudo: bool,
    /// Work on so many nodes at once
    #[arg(
        long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    parallel: u16,
    /// End it on a node where it takes longer
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,
    /// The command
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        if self.command.is_empty() && self.script.is_none() {
            return match self.names.as_slice() {
                [file] if file.ends_with(".star") => run_file(context, Path::new(file)),
                _ => bail!(
                    "say what to run: `run GROUP -- COMMAND`, `run GROUP --script FILE`, or \
                    `run FILE.star`"
                ),
            };
        }
        let script = match &self.script {
            Some(file) => read(file)?,
            None => shell_line(&self.command),
        };
        let loaded = context.load_for_nodes(false)?;
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
        let (outcome, telling) = drive(context, &loaded, async |engine| {
            engine.run_command(&loaded.project.groups, &options).await
        })?;
        telling.end_run(&outcome);
        Ok(ExitCode::from(code(outcome.cancelled, outcome.ok())))
    }
}

/// The text of a script; `-` is standard input.
fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let shown = if file == Path::new("-") {
        "standard input".to_owned()
    } else {
        file.display().to_string()
    };
    match file == Path::new("-") {
        true => std::io::stdin().lock().read_to_end(&mut bytes),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut bytes)),
    }
    .with_context(|| format!("cannot read the script {shown}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_) => bail!(
            "the script {shown} is not UTF-8 text; copy a program with `pallet-cli cp` \
            and run it there"
        ),
    }
}

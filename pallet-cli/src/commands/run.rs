//! `pallet-cli run`

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use pallet_core::engine::{RunAs, RunOptions, shell_line};

use crate::context::{Asked, Context};
use crate::operation::{JunitFile, code, drive, selection};
use crate::session::run_file;

pub(crate) use crate::verbs::Run;

impl Run {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let junit = JunitFile::of(&self.junit, false)?;
        let result = self.on_nodes(context, &junit);
        junit.write(result)
    }

    fn on_nodes(self, context: &Context, junit: &JunitFile) -> anyhow::Result<ExitCode> {
        if self.command.is_empty() && self.script.is_none() {
            if junit.is_wanted() {
                bail!("--junit is for commands and scripts on nodes, not for Starlark");
            }
            return match self.names.as_slice() {
                [file] if file.ends_with(".star") => {
                    run_file(context, Path::new(file), !self.no_journal)
                }
                _ => bail!(
                    "specify what to run: `run GROUP -- COMMAND`, `run GROUP --script FILE`, or \
                     `run FILE.star`"
                ),
            };
        }
        let script = match &self.script {
            Some(file) => read(file)?,
            None => shell_line(&self.command),
        };
        let loaded = context.load_for_nodes(false)?;
        context.confirm_stage(&loaded.project)?;
        let asked = Asked::of("run", &self).unless(self.no_journal);
        let user = match (self.user, self.no_sudo) {
            (Some(user), _) => RunAs::User(user),
            (None, true) => RunAs::Login,
            (None, false) => RunAs::Admin,
        };
        let options = RunOptions {
            script,
            selection: selection(context, &loaded, &self.names, &self.selection, None)?,
            parallel: self.parallel.into(),
            user,
            timeout: self.timeout.map(|seconds| Duration::from_secs(seconds.into())),
        };
        let (outcome, reporter) = drive(context, &loaded, asked, async |engine| {
            junit.listen(&engine).run_command(&loaded.project.groups, &options).await
        })?;
        reporter.end_run(&outcome);
        reporter.tell_others();
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
            "the script {shown} is not UTF-8 text; copy binaries with `pallet-cli cp` and run them \
             there"
        ),
    }
}

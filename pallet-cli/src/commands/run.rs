//! `pallet-cli run`

use std::path::PathBuf;
use std::process::ExitCode;

use crate::context::Context;
use crate::session::run_file;

/// Run a script: a file of Starlark with the functions of the prompt (`pallet-cli repl`)
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The script
    #[arg(value_name = "FILE.star")]
    file: PathBuf,
}

impl Run {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        run_file(context, &self.file)
    }
}

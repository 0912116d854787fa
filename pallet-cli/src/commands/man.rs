//! `pallet-cli man`

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::context::Context;

/// Write the manual pages of all commands into a directory
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// Directory to write to; created if it does not exist
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

impl Man {
    /// Writes the manual pages of this command line.
    pub(crate) fn run(
        self,
        context: &Context,
        command_line: clap::Command,
    ) -> anyhow::Result<ExitCode> {
        let shown = self.to.display();
        std::fs::create_dir_all(&self.to).with_context(|| format!("cannot create {shown}"))?;
        clap_mangen::generate_to(command_line, &self.to)
            .with_context(|| format!("cannot write manual pages into {shown}"))?;
        context.printer.status(&format!("{shown}: manual pages written; read one with man -l"));
        Ok(ExitCode::SUCCESS)
    }
}

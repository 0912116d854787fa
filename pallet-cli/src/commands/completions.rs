//! `pallet-cli completions`

use std::process::ExitCode;

use clap_complete::Shell;

use crate::context::Context;

/// Print a shell completion script
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Shell to complete in
    shell: Shell,
}

impl Completions {
    /// Prints the completion script for this command line.
    pub(crate) fn run(
        self,
        context: &Context,
        mut command_line: clap::Command,
    ) -> anyhow::Result<ExitCode> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut command_line, "pallet-cli", &mut text);
        context.printer.raw(&text);
        Ok(ExitCode::SUCCESS)
    }
}

//! `pallet-cli completions`

use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum;
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use crate::context::Context;
use crate::process::COMPLETE;

/// Print a shell completion script
///
/// It completes commands and options, and the names of nodes, groups, phases, services, stages and
/// functions of the project. Print it whenever a shell starts: `source <(pallet-cli completions
/// bash)` in ~/.bashrc or ~/.zshrc (with zsh), `pallet-cli completions fish | source` in
/// ~/.config/fish/config.fish.
#[derive(Debug, clap::Args)]
pub(crate) struct Completions {
    /// Shell to complete in
    shell: Shell,
}

/// The shells for which there is a script.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Fish,
    Zsh,
}

impl Completions {
    /// Prints the completion script for this command line.
    pub(crate) fn run(
        self,
        context: &Context,
        command_line: clap::Command,
    ) -> anyhow::Result<ExitCode> {
        let name = command_line.get_name();
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Fish => &Fish,
            Shell::Zsh => &Zsh,
        };
        // the shell finds the program as it finds it for the user: a path could become another's
        let mut text = Vec::new();
        shell
            .write_registration(COMPLETE, name, name, name, &mut text)
            .context("cannot write the script")?;
        context.printer.raw(&text);
        Ok(ExitCode::SUCCESS)
    }
}

//! The top of the command line: global options, and what becomes of a command's result.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, ValueEnum};
use pallet_core::model::closest;

use crate::commands::Command;
use crate::context::Context;
use crate::error::exit_code;
use crate::output::Printer;
use crate::surroundings::Surroundings;

/// Provision nodes and keep them configured
#[derive(Debug, Parser)]
#[command(
    name = "pallet-cli",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Global {
    /// Work on the project in this directory [default: the current one, or the nearest above it
    /// that holds a pallet.toml]
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// Use this service of pallet.toml [default: its default_service]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) service: Option<String>,
    /// Set a value of the environment, over all others; VALUE may be JSON
    #[arg(long = "env", value_name = "KEY=VALUE", global = true)]
    pub(crate) environment: Vec<String>,
    /// Print for a person or for a program
    #[arg(long, value_enum, default_value_t = Output::Text, global = true)]
    pub(crate) output: Output,
    /// Say more: also what did not change; twice: also what the nodes print
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Text for a person
    Text,
    /// JSON for a program: operations print one event a line, lists are one array
    Json,
}

/// Runs the command line of this process.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(mut error) => {
            suggest_command(&mut error);
            // help and version are no mistakes
            let code = if error.use_stderr() { 2 } else { 0 };
            // a reader that is gone is no mistake either
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let surroundings = Surroundings::of_this_process();
    let printer = Printer::new(cli.global.output, cli.global.verbose, &surroundings);
    let context =
        Context { global: cli.global, printer, surroundings, listener: Default::default() };
    match cli.command.run(&context) {
        Ok(code) if code == ExitCode::SUCCESS && context.printer.lost_output() => ExitCode::FAILURE,
        Ok(code) => code,
        Err(error) => {
            context.printer.error(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Names the command that does what a command of another tool does.
fn suggest_command(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let command = Cli::command();
    if let Some(ours) = closest(word, command.get_subcommands().map(clap::Command::get_name)) {
        error
            .insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![ours.to_owned()]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_of_other_tools_are_known() {
        let tip = |word: &str| {
            let mut error = Cli::try_parse_from(["pallet-cli", word]).unwrap_err();
            suggest_command(&mut error);
            error
                .to_string()
                .lines()
                .find(|line| line.contains("tip"))
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        assert_eq!(tip("destroy"), "tip: a similar subcommand exists: 'down'");
        assert_eq!(tip("apply"), "tip: a similar subcommand exists: 'converge'");
        assert_eq!(tip("covnerge"), "tip: a similar subcommand exists: 'converge'");
    }
}

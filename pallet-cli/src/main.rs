//! The command line of Pallet.

mod cli;
mod commands;
mod context;
mod error;
mod install;
mod lsp;
mod output;
mod package;
mod project;
mod secrets;
mod services;
mod surroundings;
mod trial;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

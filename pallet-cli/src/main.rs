//! The command line of Pallet.

mod cli;
mod commands;
mod console;
mod context;
mod error;
mod install;
mod listener;
mod lsp;
mod operation;
mod output;
mod package;
mod project;
mod scenario;
mod secrets;
mod session;
mod surroundings;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

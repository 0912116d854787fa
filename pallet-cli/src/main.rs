//! The command line of Pallet.

mod cli;
mod commands;
//mod console;
mod context;
mod error;
mod install;
mod lsp;
mod operation;
mod output;
mod package;
mod project;
mod secrets;
mod services;
//mod session;
mod surroundings;
mod trial;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

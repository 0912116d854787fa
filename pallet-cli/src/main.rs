//! The command line of Pallet.

mod check;
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
mod signals;
mod surroundings;

use std::process::ExitCode;

fn main() -> ExitCode {
    close_to_others();
    cli::run()
}

/// Whatever is made here, others may not write to it, also where whoever starts this lets them.
fn close_to_others() {
    use rustix::fs::Mode;
    let mask = rustix::process::umask(Mode::WGRP | Mode::WOTH);
    rustix::process::umask(mask | Mode::WGRP | Mode::WOTH);
}

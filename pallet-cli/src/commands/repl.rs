//! `pallet-cli repl`

use std::process::ExitCode;

use crate::context::Context;
use crate::session::{run_interactive, run_lines};

/// Start an interactive Starlark prompt with the project loaded
///
/// Piped input is evaluated line by line, up to the first error: `pallet-cli repl < script`.
#[derive(Debug, clap::Args)]
pub(crate) struct Repl {}

impl Repl {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let Context { env, printer, .. } = context;
        if env.interactive && env.screen && !printer.json() {
            run_interactive(context)
        } else {
            run_lines(context)
        }
    }
}

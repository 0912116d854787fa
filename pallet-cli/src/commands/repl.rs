//! `pallet-cli repl`

use std::process::ExitCode;

use crate::context::Context;
use crate::session::{converse, run_lines};

/// Work on the project from a prompt: all of Pallet as functions of Starlark, and the project's
/// names
///
/// What is piped in is evaluated line by line, up to the first error: `pallet-cli repl < script`.
#[derive(Debug, clap::Args)]
pub(crate) struct Repl {}

impl Repl {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let Context { env, printer, .. } = context;
        if env.interactive && env.screen && !printer.json() {
            converse(context)
        } else {
            run_lines(context)
        }
    }
}

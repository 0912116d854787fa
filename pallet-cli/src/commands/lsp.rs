//! `pallet-cli lsp`

use std::process::ExitCode;

use anyhow::bail;

use crate::context::Context;
use crate::lsp::serve;

/// Run the language server for editors, on stdin and stdout: diagnostics, completion, hover and
/// definitions
#[derive(Debug, clap::Args)]
pub(crate) struct Lsp {}

impl Lsp {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        if context.printer.json() {
            bail!("--output json cannot be used here: stdout is reserved for the protocol");
        }
        if context.env.interactive {
            context.printer.status(
                "this command is started by editors (see docs/editors.md); press Ctrl-D to quit",
            );
        }
        serve(context)
    }
}

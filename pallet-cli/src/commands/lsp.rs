//! `pallet-cli lsp`

use std::process::ExitCode;

use anyhow::bail;

use crate::context::Context;

/// The error of a build without the language server, and how to get one.
#[cfg(not(feature = "lsp"))]
const NOT_BUILT: &str = "this pallet-cli was built without the language server; build it with \
    `cargo build --release -p pallet-cli --features lsp`, or install a release";

/// Run the language server for editors, on stdin and stdout: diagnostics, completion, hover and
/// definitions
#[derive(Debug, clap::Args)]
#[cfg_attr(not(feature = "lsp"), command(after_help = NOT_BUILT))]
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

#[cfg(feature = "lsp")]
fn serve(context: &Context) -> anyhow::Result<ExitCode> {
    crate::lsp::serve(context)
}

#[cfg(not(feature = "lsp"))]
fn serve(_context: &Context) -> anyhow::Result<ExitCode> {
    bail!(NOT_BUILT)
}

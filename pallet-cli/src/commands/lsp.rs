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
            bail!(
                "an editor reads standard output, and nothing but the protocol may come there: \
                 leave out --output json"
            );
        }
        if context.env.interactive {
            context.printer.status(
                "this is for editors, which start it themselves (docs/editors.md); Ctrl-D ends it",
            );
        }
        serve(context)
    }
}

//! `pallet-cli lsp`

use std::process::ExitCode;

use anyhow::bail;

use crate::context::Context;
use crate::lsp::serve;

/// Serve editors: mistakes, completion, documentation and definitions, by the language server
/// protocol on standard input and output
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
                "this is for editors, which start it themselves \
                (docs/editors.md); Ctrl-D ends it",
            );
        }
        serve(context)
    }
}

//! `pallet-cli init`

use std::path::PathBuf;
use std::process::ExitCode;

use crate::context::Context;
use crate::project::{self, Diagnostics};

/// Write a project that works: two sandbox nodes that serve a page
#[derive(Debug, clap::Args)]
pub(crate) struct Init {
    /// Where to write it
    directory: PathBuf,
}

impl Init {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let written = project::init(&self.directory).map_err(Diagnostics::from)?;
        for path in &written {
            context.printer.line(&format!("wrote {}", path.display()));
        }
        let directory = self.directory.display();
        context.printer.line(&format!("next: pallet-cli -C {directory} check, then pallet-cli -C {directory} converge"));
        Ok(ExitCode::SUCCESS)
    }
}

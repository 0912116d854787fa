//! `pallet-cli report`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use pallet_core::local::write_private;
use serde_json::json;

use crate::context::Context;
use crate::output::history::short_id;
use crate::project::LoadedProject;
use crate::report::page_of;

/// Write a web page about an operation: a timeline, changes with diffs, failures with output
///
/// The page is one HTML file that loads nothing from elsewhere. Only its owner can read it.
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// ID of the operation, or at least 4 characters of its beginning or end [default: the latest]
    id: Option<String>,
    /// Write to this file, or to stdout if it is `-` [default: report-ID.html, in the current
    /// directory]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Report {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let to_stdout = self.out.as_deref() == Some(Path::new("-"));
        if to_stdout && context.printer.json() {
            bail!("--out - prints the page; omit --output json");
        }
        let project = LoadedProject::configured(&context.directory(), &context.load_options()?)?;
        let journals = context.journals(&project);
        let operation = context.find_operation(&project, self.id.as_deref(), false)?;
        let page = page_of(&context.read_journal(&journals, &operation)?, &context.env.machine);
        if to_stdout {
            context.printer.raw(page.as_bytes());
            return Ok(ExitCode::SUCCESS);
        }
        let usual = || format!("report-{}.html", short_id(&operation)).into();
        let out = self.out.unwrap_or_else(usual);
        write_private(&out, page.as_bytes())
            .with_context(|| format!("cannot write {}", out.display()))?;
        match context.printer.json() {
            true => {
                let path = std::path::absolute(&out).unwrap_or(out);
                context.printer.value(&json!({
                    "operation": operation, "path": path.to_string_lossy(),
                }));
            }
            false => context.printer.line(&out.to_string_lossy()),
        }
        Ok(ExitCode::SUCCESS)
    }
}

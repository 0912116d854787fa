//! `pallet-cli gc`

use std::process::ExitCode;

use pallet_core::distribution::store::Store;
use serde_json::json;

use crate::context::Context;

/// Remove plugins that no known pallet.lock references
#[derive(Debug, clap::Args)]
pub(crate) struct Gc {
    /// Show what would be removed, without removing anything
    #[arg(long)]
    dry_run: bool,
}

impl Gc {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let collected = Store::at(&context.env.data).collect(self.dry_run)?;
        if context.printer.json() {
            context.printer.value(&json!({
                "removed": collected.removed,
                "bytes": collected.bytes,
                "kept": collected.kept,
                "locks": collected.locks,
                "forgotten": collected.forgotten,
                "dry_run": self.dry_run,
            }));
            return Ok(ExitCode::SUCCESS);
        }
        for path in &collected.forgotten {
            context.printer.line(&format!("{} no longer exists and is ignored", path.display()));
        }
        for path in &collected.removed {
            context.printer.line(&format!("- {}", path.display()));
        }
        let would = if self.dry_run { "would be removed" } else { "removed" };
        context.printer.line(&format!(
            "{} {would}, {:.1} MB; {} kept for {}",
            collected.removed.len(),
            collected.bytes as f64 / 1e6,
            collected.kept,
            match collected.locks.len() {
                1 => "1 lock".to_owned(),
                count => format!("{count} locks"),
            }
        ));
        Ok(ExitCode::SUCCESS)
    }
}

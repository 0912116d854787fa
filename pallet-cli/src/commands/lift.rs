//! `pallet-cli lift`

use std::process::ExitCode;

use pallet_core::engine::LiftOptions;

use super::operation::{OperationOptions, groups, run};
use crate::context::Context;

/// Configure nodes, without changing how many there are
#[derive(Debug, clap::Args)]
pub(crate) struct Lift {
    /// Only these groups
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
    /// Change nothing; report what is not any more as Pallet made it, and end with exit code 3 if
    /// there is any
    #[arg(long, conflicts_with_all = ["dry_run", "overwrite_changes"])]
    drift_only: bool,
    #[command(flatten)]
    options: OperationOptions,
}

impl Lift {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        if let Some(word) = self.groups.iter().find(|word| word.contains('=')) {
            anyhow::bail!("{word}: lift does not change how many nodes there are; converge does");
        }
        let groups = groups(&loaded, &self.groups)?;
        let options =
            LiftOptions { drift_only: self.drift_only, ..self.options.lift_options(&loaded)? };
        run(context, &loaded, self.options.time_limit(), async |engine| {
            engine.lift(&groups, &options).await.map(Some)
        })
    }
}

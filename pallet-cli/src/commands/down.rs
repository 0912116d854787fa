//! `pallet-cli down`

use std::process::ExitCode;

use pallet_core::engine::LiftOptions;

use super::operation::run;
use crate::context::Context;

/// Destroy all nodes of the project at the service
#[derive(Debug, clap::Args)]
pub(crate) struct Down {
    /// Destroy without asking
    #[arg(long)]
    yes: bool,
}

impl Down {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let yes = self.yes;
        run(context, &loaded, async |engine| {
            let nodes = engine.nodes().await?;
            let doomed: Vec<_> = nodes.iter().map(|node| node.name.clone()).collect();
            if !doomed.is_empty() && !context.confirm_destroy(&doomed, yes)? {
                return Ok(None);
            }
            engine.down(&loaded.project.groups, &LiftOptions::default()).await.map(Some)
        })
    }
}

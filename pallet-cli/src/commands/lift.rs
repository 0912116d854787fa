//! `pallet-cli lift`

use std::process::ExitCode;

use super::operation::{OperationOptions, groups, run};
use crate::context::Context;

/// Configure nodes, without changing how many there are
#[derive(Debug, clap::Args)]
pub(crate) struct Lift {
    /// Only these groups
    #[arg(value_name = "GROUP")]
    groups: Vec<String>,
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
        let options = self.options.lift_options(&loaded)?;
        run(context, &loaded, async |engine| engine.lift(&groups, &options).await.map(Some))
    }
}

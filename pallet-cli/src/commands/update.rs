//! `pallet-cli update`

use std::process::ExitCode;

use anyhow::bail;
use pallet_core::distribution::install::Unlock;

use crate::context::Context;
use crate::diagnostic::did_you_mean_or_list;
use crate::distribution::{InstallOptions, InstallPlan, block_on};

/// Update plugins to the newest versions that pallet.toml allows
#[derive(Debug, clap::Args)]
pub(crate) struct Update {
    /// Only these plugins [default: all]
    names: Vec<String>,
    #[command(flatten)]
    decided: InstallOptions,
}

impl Update {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let setup = self.decided.setup(context, &[])?;
        let lock = setup.locked()?;
        for name in &self.names {
            if lock.named(name).next().is_none() {
                let known: Vec<_> = lock.plugins().map(|locked| locked.name.as_str()).collect();
                let help = did_you_mean_or_list(name, &known, "there are")
                    .unwrap_or_else(|| "nothing is".to_owned());
                bail!("no plugin {name} is locked in {}; {help}", setup.scope.lock.display());
            }
        }
        let unlock = if self.names.is_empty() {
            Unlock::All
        } else {
            Unlock::Named(self.names.into_iter().collect())
        };
        let plan = InstallPlan::of(&setup, unlock);
        block_on(plan.carry_out(context, &setup, self.decided.dry_run))?;
        Ok(ExitCode::SUCCESS)
    }
}

//! `pallet-cli uninstall`

use std::process::ExitCode;

use anyhow::bail;
use pallet_core::distribution::install::Unlock;

use crate::context::Context;
use crate::diagnostic::did_you_mean_or_list;
use crate::distribution::{InstallContext, InstallOptions, InstallPlan, SourceOptions, block_on};

/// Remove plugins, and plugins that only they require, from pallet.toml and pallet.lock;
/// `pallet-cli gc` deletes their files
#[derive(Debug, clap::Args)]
pub(crate) struct Uninstall {
    /// Plugins to remove
    #[arg(required = true)]
    names: Vec<String>,
    /// Use the plugins of this user instead of the project's
    #[arg(long)]
    global: bool,
    /// Show what would change, without changing anything
    #[arg(long)]
    dry_run: bool,
}

impl Uninstall {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        // removing a plugin needs neither new decisions nor the network
        let decided = InstallOptions {
            reach: SourceOptions { global: self.global, offline: true, ..SourceOptions::default() },
            ..InstallOptions::default()
        };
        let setup = decided.setup(context, &[])?;
        let mut plan = InstallPlan::of(&setup, Unlock::Nothing);
        for name in &self.names {
            let Some(required) = setup
                .own
                .plugins
                .values()
                .find(|required| required.key == *name || required.name() == name)
            else {
                bail!("{}", not_required(&setup, name));
            };
            plan.release(&required.key, required.name());
        }
        block_on(plan.carry_out(context, &setup, self.dry_run))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn not_required(setup: &InstallContext, name: &str) -> String {
    let file = setup.scope.config.display();
    let by: Vec<_> = setup
        .lock
        .iter()
        .flat_map(|lock| lock.plugins())
        .filter(|locked| locked.requires.contains_key(name))
        .map(ToString::to_string)
        .collect();
    if !by.is_empty() {
        return format!(
            "{file} does not require {name} directly: {} requires it; uninstall that instead",
            by.join(" and ")
        );
    }
    let known: Vec<_> = setup.own.plugins.keys().map(String::as_str).collect();
    let help = did_you_mean_or_list(name, &known, "it requires")
        .unwrap_or_else(|| "it requires none".to_owned());
    format!("{file} does not require a plugin {name}; {help}")
}

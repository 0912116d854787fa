//! `pallet-cli list`

use std::process::ExitCode;

use pallet_core::distribution::lock::LockedPlugin;
use pallet_core::plugins::build_for;
use serde_json::json;

use crate::context::Context;
use crate::distribution::{InstallContext, SourceOptions, signer};
use crate::output::table;

/// List locked plugins, with their sources and signers
#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Use the plugins of this user instead of the project's
    #[arg(long)]
    global: bool,
}

impl List {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let setup = InstallContext::read(
            context,
            &SourceOptions { global: self.global, offline: true, ..SourceOptions::default() },
            Default::default(),
            false,
        )?;
        let lock = setup.lock.clone().unwrap_or_default();
        let there = |locked: &LockedPlugin| {
            let target = build_for(&locked.targets, &setup.installer.machine.target);
            target.is_some_and(|(_, target)| setup.installer.store.has(target.content.digest()))
        };
        if context.printer.json() {
            let value = |locked: &LockedPlugin| {
                json!({
                    "kind": locked.kind,
                    "name": locked.name,
                    "version": locked.version,
                    "requirement": locked.requirement,
                    "requires": locked.requires,
                    "source": locked.source.to_string(),
                    "index": locked.index,
                    "signer": locked.signer.as_ref().map(ToString::to_string),
                    "accepted": locked.accepted,
                    "targets": locked.targets.keys().collect::<Vec<_>>(),
                    "installed": there(locked),
                })
            };
            context.printer.value(&lock.plugins().map(value).collect());
            return Ok(ExitCode::SUCCESS);
        }
        if lock.is_empty() {
            context.printer.line(&format!("no plugin is locked in {}", setup.scope.lock.display()));
            return Ok(ExitCode::SUCCESS);
        }
        let row = |locked: &LockedPlugin| {
            let installed = if there(locked) { "yes" } else { "no" };
            let kind = pallet_core::plugins::kind_word(locked.kind).to_owned();
            vec![
                locked.name.clone(),
                kind,
                locked.version.to_string(),
                locked.source.to_string(),
                signer(locked),
                installed.to_owned(),
            ]
        };
        context.printer.text(&table(
            &["NAME", "KIND", "VERSION", "SOURCE", "SIGNER", "INSTALLED"],
            lock.plugins().map(row),
        ));
        Ok(ExitCode::SUCCESS)
    }
}

//! `pallet-cli outdated`

use std::process::ExitCode;

use pallet_core::distribution::install::Outdated as Newer;
use semver::Version;
use serde_json::json;

use crate::context::Context;
use crate::distribution::{InstallContext, SourceOptions, block_on};
use crate::output::table;

/// List locked plugins that have newer versions
#[derive(Debug, clap::Args)]
pub(crate) struct Outdated {
    #[command(flatten)]
    reach: SourceOptions,
}

impl Outdated {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let setup = InstallContext::read(context, &self.reach, Default::default(), false)?;
        let lock = setup.lock.clone().unwrap_or_default();
        let newer = block_on(async { Ok(setup.installer.session().outdated(&lock).await?) })?;
        if context.printer.json() {
            let value = |newer: &Newer| {
                json!({
                    "kind": newer.locked.kind,
                    "name": newer.locked.name,
                    "locked": newer.locked.version,
                    "compatible": newer.compatible,
                    "latest": newer.latest,
                })
            };
            context.printer.value(&newer.iter().map(value).collect());
        } else if newer.is_empty() {
            context.printer.line("all locked plugins are up to date");
        } else {
            let shown = |version: &Option<Version>| {
                version.as_ref().map_or("-".to_owned(), Version::to_string)
            };
            let row = |newer: Newer| {
                vec![
                    newer.locked.name,
                    newer.locked.version.to_string(),
                    shown(&newer.compatible),
                    shown(&newer.latest),
                ]
            };
            context.printer.text(&table(
                &["NAME", "LOCKED", "COMPATIBLE", "LATEST"],
                newer.into_iter().map(row),
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

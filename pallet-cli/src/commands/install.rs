//! `pallet-cli install`

use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use pallet_core::distribution::install::{Unlock, Wanted};
use pallet_core::distribution::lock::Origin;
use semver::VersionReq;

use crate::context::Context;
use crate::distribution::{InstallContext, InstallOptions, InstallPlan, PluginArgument, block_on};

/// Install plugins and add them to pallet.toml and pallet.lock; without a source, install the
/// plugins of pallet.lock
#[derive(Debug, clap::Args)]
pub(crate) struct Install {
    /// Source: oci://HOST/PATH, a directory with an OCI image layout, an archive, a library (.so),
    /// or the name of a plugin in the configured `registry`; @REQUIREMENT selects a version
    /// [default: newest]
    #[arg(value_name = "SOURCE[@REQUIREMENT]")]
    sources: Vec<String>,
    /// Fail if pallet.lock would have to change
    #[arg(long, conflicts_with = "sources")]
    locked: bool,
    #[command(flatten)]
    decided: InstallOptions,
}

impl Install {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let setup = self.decided.setup(context, &self.sources)?;
        if self.locked {
            let lock = setup.locked()?;
            if let Some(why) = setup.installer.session().differs(&setup.wanted(), lock) {
                bail!("pallet.lock is out of date and --locked was used: {why}");
            }
        }
        block_on(async {
            let mut plan = InstallPlan::of(&setup, Unlock::Nothing);
            for word in &self.sources {
                let (wanted, given) = find(&setup, word).await?;
                plan.require(&setup, wanted, given);
            }
            plan.carry_out(context, &setup, self.decided.dry_run).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The plugin that the user named, and whether they gave a version requirement.
async fn find(setup: &InstallContext, word: &str) -> anyhow::Result<(Wanted, bool)> {
    let argument = PluginArgument::read(word, &setup.scope.directory)?;
    let given = argument.requirement.is_some();
    let requirement = argument.requirement.unwrap_or(VersionReq::STAR);
    let by = "the command line".to_owned();
    let mut session = setup.installer.session();
    let located = match argument.origin {
        Some(origin) => session.identify(&origin, &requirement).await?,
        None => {
            let registry = setup.installer.registry.clone().with_context(|| {
                format!(
                    "{} is not an existing file or directory; use oci://HOST/PATH, or set \
                     `registry` in {}",
                    argument.name,
                    setup.scope.name()
                )
            })?;
            let (kind, name) = match argument.name.split_once('/') {
                Some(("crate", name)) => (Some(pallet_core::model::PluginKind::Crate), name),
                Some((_, name)) => (Some(pallet_core::model::PluginKind::Provider), name),
                None => (None, argument.name.as_str()),
            };
            let wanted = Wanted {
                name: name.to_owned(),
                kind,
                requirement: requirement.clone(),
                origin: Some(Origin::Repository(registry)),
                by: by.clone(),
            };
            session.find(&wanted).await?
        }
    };
    ensure!(!located.package.name.is_empty(), "{word} is not a plugin");
    Ok((
        Wanted {
            name: located.package.name,
            kind: Some(located.package.kind),
            requirement,
            origin: Some(located.origin),
            by,
        },
        given,
    ))
}

//! `pallet-cli mirror`

use std::path::PathBuf;
use std::process::ExitCode;

use pallet_core::distribution::install::Mirrored;
use pallet_core::distribution::lock::Origin;
use pallet_core::distribution::repository::Source;
use serde_json::json;

use crate::context::Context;
use crate::distribution::{InstallContext, SourceOptions, block_on};

/// Copy the plugins of pallet.lock into an OCI image layout, for installation without a network
#[derive(Debug, clap::Args)]
pub(crate) struct Mirror {
    /// Directory to copy to; existing content is kept
    #[arg(value_name = "DIRECTORY")]
    to: PathBuf,
    #[command(flatten)]
    reach: SourceOptions,
}

impl Mirror {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let setup = InstallContext::read(context, &self.reach, Default::default(), false)?;
        let lock = setup.locked()?;
        let directory = std::path::absolute(&self.to)?;
        let mirrored =
            block_on(async { Ok(setup.installer.session().mirror(lock, &directory).await?) })?;
        if context.printer.json() {
            let value = |mirrored: &Mirrored| {
                json!({
                    "plugin": mirrored.plugin, "source": mirrored.source.to_string(),
                    "place": mirrored.place.to_string(), "bytes": mirrored.bytes,
                })
            };
            context.printer.value(&mirrored.iter().map(value).collect());
            return Ok(ExitCode::SUCCESS);
        }
        for mirrored in &mirrored {
            context.printer.line(&format!(
                "{} from {} is at {} ({} bytes new)",
                mirrored.plugin, mirrored.source, mirrored.place, mirrored.bytes
            ));
        }
        let mut registries: Vec<_> =
            mirrored.iter().filter_map(|mirrored| registry(&mirrored.source)).collect();
        registries.sort();
        registries.dedup();
        if !registries.is_empty() {
            context.printer.line(
                "to install from it, add to pallet.toml or config.toml:\n\n\
                 [mirrors]",
            );
            for registry in registries {
                context
                    .printer
                    .line(&format!("\"{registry}\" = \"layout:{}\"", directory.display()));
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn registry(origin: &Origin) -> Option<String> {
    match origin {
        Origin::Repository(source @ Source::Registry { .. }) => {
            Some(source.with_path("").to_string())
        }
        _ => None,
    }
}

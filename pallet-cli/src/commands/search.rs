//! `pallet-cli search`

use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use pallet_core::distribution::install::Listed;
use pallet_core::distribution::repository::Source;
use serde_json::json;

use crate::context::Context;
use crate::distribution::{InstallContext, SourceOptions, block_on};
use crate::output::table;

/// Search a registry or directory for plugins
#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// Only plugins whose name contains WORD
    word: Option<String>,
    /// Registry or directory to search: oci://HOST, oci://HOST/PATH, or a path [default: `registry`
    /// of pallet.toml]
    #[arg(long = "in", value_name = "SOURCE")]
    sources: Vec<String>,
    #[command(flatten)]
    reach: SourceOptions,
}

impl Search {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let mut setup = InstallContext::read(context, &self.reach, Default::default(), false)?;
        let mut sources: Vec<Source> = Vec::new();
        for word in &self.sources {
            sources.push(word.parse().with_context(|| format!("--in {word}"))?);
        }
        if sources.is_empty() {
            sources.extend(setup.installer.registry.clone());
        }
        ensure!(
            !sources.is_empty(),
            "nothing to search: use --in oci://HOST/PATH, or set `registry` in {}",
            setup.scope.name()
        );
        setup
            .installer
            .access
            .plain_http
            .extend(self.reach.registry.access(context, &sources).plain_http);
        let word = self.word.unwrap_or_default();
        let found = block_on(async {
            let mut session = setup.installer.session();
            let mut found = Vec::new();
            for source in &sources {
                found.extend(session.search(source, &word).await?);
            }
            Ok(found)
        })?;
        if context.printer.json() {
            let value = |listed: &Listed| {
                json!({
                    "kind": listed.kind, "name": listed.name, "version": listed.version,
                    "licenses": listed.licenses, "source": listed.source.to_string(),
                })
            };
            context.printer.value(&found.iter().map(value).collect());
        } else if found.is_empty() {
            context.printer.line("no plugins found");
        } else {
            let row = |listed: Listed| {
                let kind = pallet_core::plugins::kind_word(listed.kind).to_owned();
                vec![
                    listed.name,
                    kind,
                    listed.version.to_string(),
                    listed.licenses,
                    listed.source.to_string(),
                ]
            };
            context.printer.text(&table(
                &["NAME", "KIND", "NEWEST", "LICENCE", "SOURCE"],
                found.into_iter().map(row),
            ));
        }
        Ok(ExitCode::SUCCESS)
    }
}

//! `pallet-cli crates`

use std::process::ExitCode;

use pallet_core::model::PluginKind;
use serde_json::Map;

use super::plugins;
use crate::context::{Context, refuse_problems};

/// List installed configuration crates
#[derive(Debug, clap::Args)]
pub(crate) struct Crates {}

impl Crates {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let registry = context.scan()?;
        plugins::list(context, &registry, PluginKind::Crate, |_| Map::new())?;
        refuse_problems(&registry)?;
        Ok(ExitCode::SUCCESS)
    }
}

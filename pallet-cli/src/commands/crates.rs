//! `pallet-cli crates`

use std::process::ExitCode;

use pallet_core::model::PluginKind;

use crate::context::Context;

/// List the crates that are installed
#[derive(Debug, clap::Args)]
pub(crate) struct Crates {}

impl Crates {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        context.list_plugins(PluginKind::Crate)
    }
}

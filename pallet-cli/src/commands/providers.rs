//! `pallet-cli providers`

use std::process::ExitCode;

use pallet_core::model::PluginKind;

use crate::context::Context;

/// List the providers that are installed
#[derive(Debug, clap::Args)]
pub(crate) struct Providers {}

impl Providers {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        context.list_plugins(PluginKind::Provider)
    }
}

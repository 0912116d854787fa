//! `pallet-cli version`

use std::process::ExitCode;

use serde_json::json;

use crate::context::Context;

/// Print the versions of pallet-cli and of its plugin ABI
#[derive(Debug, clap::Args)]
pub(crate) struct Version {}

impl Version {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let (version, abi) = (env!("CARGO_PKG_VERSION"), pallet_core::model::ABI_VERSION);
        match context.printer.json() {
            true => context.printer.value(&json!({"version": version, "abi": abi})),
            false => context.printer.line(&format!("pallet-cli {version} (plugin ABI {abi})")),
        }
        Ok(ExitCode::SUCCESS)
    }
}

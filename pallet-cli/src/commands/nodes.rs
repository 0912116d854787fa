//! `pallet-cli nodes`

use std::process::ExitCode;

use pallet_core::engine::natural;

use crate::context::Context;
use crate::output::{nodes, table};

/// List the project's nodes
#[derive(Debug, clap::Args)]
pub(crate) struct Nodes {}

impl Nodes {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let mut found = context.engine(&loaded)?.service.nodes()?;
        found.sort_by_key(|node| natural(&node.name));
        if context.printer.json() {
            context.printer.value(&serde_json::to_value(&found)?);
            return Ok(ExitCode::SUCCESS);
        }
        context.printer.text(&table(&nodes::TITLES, found.iter().map(|node| nodes::row(node).to_vec())));
        Ok(ExitCode::SUCCESS)
    }
}

//! `pallet-cli nodes`

use std::process::ExitCode;

use pallet_core::engine::natural;
use pallet_core::model::{Connection, Node};

use crate::context::Context;
use crate::output::table;

/// List the project's nodes
#[derive(Debug, clap::Args)]
pub(crate) struct Nodes {}

impl Nodes {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let mut nodes = context.engine(&loaded)?.service.nodes()?;
        nodes.sort_by_key(|node| natural(&node.name));
        if context.printer.json() {
            context.printer.value(&serde_json::to_value(&nodes)?);
            return Ok(ExitCode::SUCCESS);
        }
        let rows = nodes.iter().map(|node| {
            let by = match &node.connection {
                Connection::Ssh(ssh) => match ssh.port {
                    Some(port) if port != 22 => format!("ssh {}:{port}", ssh.host),
                    _ => format!("ssh {}", ssh.host),
                },
                Connection::Exec { command } => command.first().cloned().unwrap_or_default(),
                Connection::Local => "this machine".to_owned(),
                Connection::Unknown => "unknown".to_owned(),
            };
            let system = node.os.as_ref().map(ToString::to_string).unwrap_or_default();
            let group = node.group.clone().unwrap_or_default();
            vec![node.name.clone(), group, node.status.as_str().to_owned(), address(node), system, by]
        });
        context.printer.text(&table(&["NODE", "GROUP", "STATUS", "ADDRESS", "SYSTEM", "REACHED BY"], rows));
        Ok(ExitCode::SUCCESS)
    }
}

/// Where a node's services are reached: `127.0.0.1, 80 at 127.0.0.1:20003`.
fn address(node: &Node) -> String {
    let ports = node.ports.iter().map(|(port, place)| format!("{port} at {place}"));
    node.address.iter().cloned().chain(ports).collect::<Vec<_>>().join(", ")
}

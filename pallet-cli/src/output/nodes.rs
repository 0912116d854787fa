//! Nodes as rows of a table.

use pallet_core::model::{Connection, Node};

/// The column titles.
pub(crate) const TITLES: [&str; 6] = ["NODE", "GROUP", "STATUS", "ADDRESS", "SYSTEM", "REACHED BY"];

/// The cells of a node's row.
pub(crate) fn row(node: &Node) -> [String; 6] {
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
    [node.name.clone(), group, node.status.as_str().to_owned(), address(node), system, by]
}

/// The address of a node and of its forwarded ports: `127.0.0.1, 80 at 127.0.0.1:20003`.
fn address(node: &Node) -> String {
    let ports = node.ports.iter().map(|(port, place)| format!("{port} at {place}"));
    node.address.iter().cloned().chain(ports).collect::<Vec<_>>().join(", ")
}

//! The name servers: those that are listed, and the nodes of a group or of a role.

use std::net::IpAddr;

use pallet_core::prelude::*;

/// The addresses of all name servers, each once.
pub(crate) fn servers(
    request: &Request,
    listed: Vec<String>,
    group: Option<&str>,
    role: Option<&str>,
) -> Result<Vec<String>> {
    let mut servers: Vec<String> = Vec::new();
    let mut add = |server: String| {
        if !servers.contains(&server) {
            servers.push(server);
        }
    };
    for server in listed {
        ensure!(server.parse::<IpAddr>().is_ok(), "the name server {server:?} is no address");
        add(server);
    }
    let mut nodes = request.targets()?;
    nodes.retain(|target| {
        group == Some(target.group.as_str())
            || role.is_some_and(|role| target.roles.iter().any(|known| known == role))
    });
    // whatever the order in which providers list nodes
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    for node in nodes {
        let address = node.address.unwrap_or_default();
        ensure!(
            address.parse::<IpAddr>().is_ok() || address.ends_with(KNOWN_AFTER_APPLY),
            "node {} has no address that a resolver could use: {address:?}",
            node.name
        );
        add(address);
    }
    Ok(servers)
}

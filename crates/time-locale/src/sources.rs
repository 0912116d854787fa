//! Where chrony gets the time: servers and pools that are listed, and nodes of a group or a role.

use pallet_core::prelude::*;

/// The addresses of the nodes of a group or a role, without this one.
pub(crate) fn nodes(
    request: &Request,
    group: Option<&str>,
    role: Option<&str>,
) -> Result<Vec<String>> {
    if group.is_none() && role.is_none() {
        return Ok(Vec::new());
    }
    let own = request.target()?.id;
    let mut nodes = request.targets()?;
    nodes.retain(|target| {
        target.id != own
            && (group == Some(target.group.as_str())
                || role.is_some_and(|role| target.roles.iter().any(|known| known == role)))
    });
    // whatever the order in which providers list nodes
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    nodes
        .into_iter()
        .map(|node| {
            let name = node.name;
            node.address.with_context(|| format!("node {name} has no address to get the time from"))
        })
        .collect()
}

/// Refuses what cannot be a host.
pub(crate) fn check_host(host: &str) -> Result<()> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    ensure!(
        host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == ':') && host.chars().all(good),
        "{host:?} cannot be a time server: give a host name or an address"
    );
    Ok(())
}

//! The Alertmanagers of the project, which find each other and which the server finds by settings.

use pallet_core::prelude::*;

use super::address::with_port;

/// The facility of Alertmanager's settings.
pub(crate) const FACILITY: &str = "prometheus-alertmanager";

/// Where an Alertmanager listens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(crate = "pallet_core::serde")]
pub(crate) struct Alertmanager {
    pub(crate) port: u16,
    pub(crate) cluster_port: u16,
}

/// All Alertmanagers: the names of their nodes, their addresses, and where they listen.
pub(crate) fn all(request: &Request) -> Result<Vec<(String, String, Alertmanager)>> {
    let mut found = Vec::new();
    for node in request.targets()? {
        let declared: Option<Alertmanager> = request.settings_of(&node.id, FACILITY)?;
        if let Some(declared) = declared {
            let address = node.address.with_context(|| {
                format!("node {} has no address that alerts could be sent to", node.name)
            })?;
            found.push((node.name, address, declared));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}

/// Where alerts are sent.
pub(crate) fn addresses(request: &Request) -> Result<Vec<String>> {
    let all = all(request)?;
    Ok(all.into_iter().map(|(_, address, one)| with_port(&address, one.port)).collect())
}

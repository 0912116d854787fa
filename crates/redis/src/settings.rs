//! What other nodes may know of a server, and which server it is.

use pallet_core::prelude::*;

use super::names::{self, Kind, Names};

/// The facility of the settings.
const FACILITY: &str = "redis";

parameters! {
    /// Declares which server this node has, and where others reach it. Call it in the phase
    /// `settings`. It is not needed for Redis on port 6379.
    ///
    /// Example: `redis.settings(request, server = "valkey", port = 6380)`
    pub(crate) struct Settings {
        /// `redis` or `valkey`. Default: Redis where the system has it, otherwise Valkey.
        #[serde(default)]
        server: Option<Kind>,
        /// The TCP port. Default: 6379.
        #[serde(default = "default_port")]
        port: u16,
    }
}

pub(crate) fn default_port() -> u16 {
    6379
}

pub(crate) fn settings(request: &mut Request, settings: Settings) -> Result<()> {
    ensure!(settings.port > 0, "there is no port 0");
    request.set_settings(FACILITY, settings)
}

/// What was declared of this node.
pub(crate) struct Own {
    pub(crate) names: &'static Names,
    pub(crate) port: u16,
}

pub(crate) fn own(request: &Request) -> Result<Own> {
    let settings: Option<Settings> = request.settings(FACILITY)?;
    let (server, port) = settings.map_or((None, default_port()), |one| (one.server, one.port));
    Ok(Own { names: names::names(&request.target()?.os, server)?, port })
}

/// The address and the port of a node's server.
pub(crate) fn reach(request: &Request, target: &Target) -> Result<(String, u16)> {
    let settings: Option<Settings> = request.settings_of(&target.id, FACILITY)?;
    let Some(address) = target.address.clone() else {
        bail!("node {} has no address that others could reach", target.name)
    };
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.:".contains(character);
    ensure!(
        !address.is_empty() && address.chars().all(good),
        "the address {address:?} of node {} is none",
        target.name
    );
    Ok((address, settings.map_or(default_port(), |one| one.port)))
}

/// The node that is the primary: the one that is named, or the first of a group.
pub(crate) fn primary(request: &Request, of: Option<&str>, group: Option<&str>) -> Result<Target> {
    let targets = request.targets()?;
    match (of, group) {
        (Some(name), None) => {
            let found = targets.into_iter().find(|target| target.name == name);
            found.with_context(|| format!("there is no node {name} in this project"))
        }
        (None, Some(group)) => {
            let nodes = targets.into_iter().filter(|target| target.group == group);
            // web-2 comes before web-10
            let found = nodes.min_by_key(|target| (target.name.len(), target.name.clone()));
            found.with_context(|| format!("the group {group} has no node"))
        }
        _ => bail!("give exactly one of `of` and `group`"),
    }
}

//! Connecting through jump hosts (ProxyJump): each has a session of its own, which carries the next
//! session in a tunnel.

use std::path::PathBuf;

use super::super::{ConnectSettings, TransportError};
use super::carrier::Carrier;
use super::config;
use super::connect::establish;
use super::destination::Destination;
use super::host_config::{Hop, HostConfig};
use super::host_query::HostQuery;
use super::link::Link;
use crate::model::SshConnection;

/// Maximum number of jump hosts.
const MAX_HOPS: usize = 8;

/// A session with a node.
pub(super) struct Connected {
    pub(super) link: Link,
    /// The socket of the ssh agent that can be lent to the node.
    pub(super) agent: Option<PathBuf>,
    /// The session that carries this one.
    pub(super) via: Option<Carrier>,
}

/// Connects to a node, hop by hop.
pub(super) async fn connect(
    connection: &SshConnection,
    settings: &ConnectSettings,
) -> Result<Connected, TransportError> {
    let config = config::resolve(HostQuery::of(connection), settings).await?;
    let mut via: Option<Carrier> = None;
    for (hop, config) in route(&config, settings).await? {
        let destination = Destination::of_hop(&hop, config, settings);
        let link = establish(&destination, settings, via.as_ref()).await?;
        via = Some(Carrier::start(link, via.map(Box::new)));
    }
    let destination = Destination::of_node(connection, config, settings);
    let link = establish(&destination, settings, via.as_ref()).await?;
    Ok(Connected { link, agent: destination.agent, via })
}

/// The jump hosts on the way to a host, nearest to this machine first. The way to the first jump
/// host of a list is in that host's own configuration.
async fn route(
    config: &HostConfig,
    settings: &ConnectSettings,
) -> Result<Vec<(Hop, HostConfig)>, TransportError> {
    let mut route = Vec::new();
    let mut next = config.proxy_jump.clone();
    while !next.is_empty() {
        let mut part = Vec::new();
        for hop in &next {
            let query = HostQuery { host: &hop.host, user: hop.user.as_deref(), port: hop.port };
            let config = config::resolve(query, settings).await?;
            part.push((hop.clone(), config));
        }
        next = part.first().map(|(_, config)| config.proxy_jump.clone()).unwrap_or_default();
        part.append(&mut route);
        route = part;
        if route.len() > MAX_HOPS {
            let message = format!(
                "more than {MAX_HOPS} jump hosts lead to {}: does its ProxyJump \
                lead back to itself?",
                config.host_name
            );
            return Err(TransportError::Config { message });
        }
    }
    Ok(route)
}

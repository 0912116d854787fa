//! A host to log in to, with its settings.

use std::path::PathBuf;

use super::super::{ConnectSettings, Secret, TransportError};
use super::host_config::{AgentChoice, Hop, HostConfig};
use super::tokens::in_home;
use crate::model::SshConnection;

/// A host to log in to, with everything that is needed to connect.
pub(super) struct Destination {
    /// Host and port, for messages.
    pub(super) peer: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// Keys from the caller, tried before those of the configuration.
    pub(super) identity_files: Vec<PathBuf>,
    pub(super) password: Option<Secret>,
    pub(super) agent: Option<PathBuf>,
    /// The host keys from the provider.
    pub(super) given_host_keys: Vec<String>,
    pub(super) config: HostConfig,
}

impl Destination {
    /// The node itself.
    pub(super) fn of_node(
        connection: &SshConnection,
        config: HostConfig,
        settings: &ConnectSettings,
    ) -> Self {
        let given =
            connection.identity_files.iter().map(|file| in_home(file, settings.home.as_deref()));
        let identity_files = given.chain(settings.identity_files.iter().cloned()).collect();
        Destination {
            identity_files,
            password: settings.password.clone(),
            given_host_keys: connection.host_keys.clone(),
            ..Destination::new(connection.user.clone(), connection.port, config, settings)
        }
    }

    /// A jump host. It is never offered the node's password.
    pub(super) fn of_hop(hop: &Hop, config: HostConfig, settings: &ConnectSettings) -> Self {
        Destination {
            identity_files: settings.identity_files.clone(),
            ..Destination::new(hop.user.clone(), hop.port, config, settings)
        }
    }

    fn new(
        user: Option<String>,
        port: Option<u16>,
        config: HostConfig,
        settings: &ConnectSettings,
    ) -> Self {
        let port = port.or(config.port).unwrap_or(22);
        let agent = match &config.agent {
            AgentChoice::Usual => settings.agent.clone(),
            AgentChoice::None => None,
            AgentChoice::Socket(path) => Some(path.clone()),
        };
        Destination {
            peer: if config.host_name.contains(':') {
                format!("[{}]:{port}", config.host_name)
            } else {
                format!("{}:{port}", config.host_name)
            },
            port,
            user: user.or_else(|| config.user.clone()).unwrap_or_else(|| settings.user.clone()),
            identity_files: Vec::new(),
            password: None,
            agent,
            given_host_keys: Vec::new(),
            config,
        }
    }

    pub(super) fn failed(&self, message: impl Into<String>) -> TransportError {
        TransportError::Connect { host: self.peer.clone(), message: message.into() }
    }
}

//! Connects to a node in the way that its provider chose.

use super::local::local;
use super::{ConnectSettings, Exec, Ssh, Transport, TransportError, ssh};
use crate::model::Connection;

/// Opens a connection to a node.
pub async fn connect(
    connection: &Connection,
    settings: &ConnectSettings,
) -> Result<Box<dyn Transport>, TransportError> {
    match connection {
        Connection::Ssh(ssh) => Ok(Box::new(Ssh::connect(ssh, settings).await?)),
        Connection::Exec { command } => Ok(Box::new(Exec::new(command, settings)?)),
        Connection::Local => Ok(Box::new(local(settings))),
        Connection::Unknown => Err(TransportError::Config {
            message: "the provider uses a type of connection that this version of pallet does not \
                support: upgrade pallet"
                .to_owned(),
        }),
    }
}

/// The user who will log in over ssh, according to the ssh configuration. `None` if the connection
/// has no login; then `id -u` tells.
pub fn login_user(
    connection: &Connection,
    settings: &ConnectSettings,
) -> Result<Option<String>, TransportError> {
    match connection {
        Connection::Ssh(ssh) => ssh::login_user(ssh, settings).map(Some),
        _ => Ok(None),
    }
}

//! Logging in, in this order: key files with their certificates, the agent, the default keys, the
//! password. Each is tried only if it can succeed, because a server ends the connection after a few
//! refusals (MaxAuthTries).

mod keys;
mod login;
mod password;

use std::time::Duration;

use self::login::Login;
use super::super::{ConnectSettings, TransportError};
use super::destination::Destination;
use super::link::Link;

/// Logs in. The error lists all that was tried.
pub(super) async fn log_in(
    link: &mut Link,
    to: &Destination,
    settings: &ConnectSettings,
    limit: Duration,
) -> Result<(), TransportError> {
    let mut login = Login::new(link, to, settings, limit);
    // Asking the server for its methods costs a round trip. Only a login with more than keys needs
    // it.
    if to.password.is_some() && login.ask().await? {
        return Ok(());
    }
    if login.takes("publickey") && login.with_keys().await? {
        return Ok(());
    }
    // A server that wants a key and a password asks for the password only after it accepted the
    // key.
    if !(login.methods.is_some()
        && (login.takes("password") || login.takes("keyboard-interactive")))
        && login.ask().await?
    {
        return Ok(());
    }
    if login.with_password().await? {
        return Ok(());
    }
    let tried = if login.tried.is_empty() {
        "there was nothing to try: no key, no agent, no password".to_owned()
    } else {
        login.tried.join("; ")
    };
    let methods = login.methods.clone().unwrap_or_default();
    let hint = if ["publickey", "password", "keyboard-interactive"]
        .iter()
        .any(|method| login.takes(method))
    {
        ""
    } else {
        ", none of which pallet supports: allow keys there"
    };
    Err(login.refused(format!("{tried} (the server accepts {methods}{hint})")))
}

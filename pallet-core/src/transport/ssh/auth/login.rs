//! The state of a login: the methods that the server accepts, and what was tried.

use std::time::Duration;

use ssh2::{Error, ErrorCode};

use super::super::super::{ConnectSettings, TransportError};
use super::super::destination::Destination;
use super::super::link::Link;

/// A login in progress.
pub(super) struct Login<'a> {
    pub(super) link: &'a mut Link,
    pub(super) to: &'a Destination,
    pub(super) settings: &'a ConnectSettings,
    pub(super) limit: Duration,
    /// The methods that the server accepts; `None` if it was not asked.
    pub(super) methods: Option<String>,
    /// What was tried, with the results.
    pub(super) tried: Vec<String>,
    /// The public keys that were tried already.
    pub(super) offered: Vec<Vec<u8>>,
}

impl<'a> Login<'a> {
    pub(super) fn new(
        link: &'a mut Link,
        to: &'a Destination,
        settings: &'a ConnectSettings,
        limit: Duration,
    ) -> Self {
        let (methods, tried, offered) = (None, Vec::new(), Vec::new());
        Login { link, to, settings, limit, methods, tried, offered }
    }

    /// Asks the server which methods it accepts. Returns true if the server already lets the user
    /// in, without any method.
    pub(super) async fn ask(&mut self) -> Result<bool, TransportError> {
        let user = self.to.user.as_str();
        let asked = self.link.drive_within(self.limit, "the login", |session| {
            match session.auth_methods(user) {
                Err(_) if session.authenticated() => Ok(String::new()),
                methods => methods.map(str::to_owned),
            }
        });
        match asked.await? {
            Ok(methods) => self.methods = Some(methods),
            Err(error) if self.tried.is_empty() => return Err(self.link.lost(error)),
            Err(error) => self.still_there(&error).await?,
        }
        Ok(self.link.session.authenticated())
    }

    /// Whether the server accepts a method, as far as is known.
    pub(super) fn takes(&self, method: &str) -> bool {
        self.methods.as_ref().is_none_or(|methods| methods.split(',').any(|it| it == method))
    }

    /// Fails if the server did not merely refuse, but closed the connection or timed out.
    pub(super) async fn still_there(&mut self, error: &Error) -> Result<(), TransportError> {
        match error.code() {
            // libssh2 has many error codes for a missing answer, but one message.
            code if matches!(code, ErrorCode::Session(-43 | -13 | -7))
                || error.message().starts_with("Waiting for") =>
            {
                if !self.link.is_ending().await {
                    let why = "it sent something that pallet cannot read, most likely a login \
                        banner over 32 KB (`Banner` in its sshd_config)";
                    return Err(self.refused(format!("{why}: shorten it there")));
                }
                let tried = self.tried.join("; ");
                Err(self.refused(format!(
                    "it ended the connection after: {tried}; it may allow \
                    fewer attempts (MaxAuthTries): name the key with IdentityFile and set \
                    IdentitiesOnly"
                )))
            }
            ErrorCode::Session(-9 | -30) => Err(TransportError::Timeout {
                host: self.to.peer.clone(),
                message: format!(
                    "the login took longer than {} s: check whether the host is overloaded, or \
                     raise the timeout",
                    self.limit.as_secs()
                ),
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn refused(&self, message: String) -> TransportError {
        TransportError::Authenticate {
            host: self.to.peer.clone(),
            user: self.to.user.clone(),
            message,
        }
    }
}

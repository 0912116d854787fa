//! Lends this machine's ssh agent to the commands of a connection, one command at a time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::TransportError;

/// Error text for this machine without an ssh agent.
pub(super) const NO_AGENT: &str = "there is no ssh agent here (SSH_AUTH_SOCK): start one with \
    `ssh-agent`, and add a key with `ssh-add`";
/// Error text for connections that cannot forward an agent.
pub(super) const NO_SSH: &str = "an agent can be forwarded only over ssh: give the node a key of \
    its own";

/// The longest agent message that OpenSSH accepts.
pub(super) const LONGEST: u32 = 256 * 1024;
/// Message types of the agent protocol: request the list of keys, and the reply.
pub(super) const LIST: u8 = 11;
const LISTED: u8 = 12;
/// Timeout for the agent to list its keys.
const LISTING: Duration = Duration::from_secs(5);

/// The agent that a connection can lend.
#[derive(Debug, Default)]
pub(super) struct Agent {
    socket: Option<PathBuf>,
    /// Whether the next command may use it.
    lent: bool,
}

impl Agent {
    /// The agent at this socket, if there is a socket.
    pub(super) fn at(socket: Option<PathBuf>) -> Self {
        Agent { socket, lent: false }
    }

    /// Lends the agent to the next command on `host`. Fails if the agent cannot sign; the error is
    /// `without` if there is no agent.
    pub(super) async fn lend(&mut self, host: &str, without: &str) -> Result<(), TransportError> {
        let why = match &self.socket {
            Some(socket) => unusable(socket).await,
            None => Some(without.to_owned()),
        };
        self.lent = why.is_none();
        why.map_or(Ok(()), |message| Err(TransportError::Agent { host: host.to_owned(), message }))
    }

    /// Returns the socket if the agent was lent, and ends the loan.
    pub(super) fn take(&mut self) -> Option<PathBuf> {
        self.socket.clone().filter(|_| std::mem::take(&mut self.lent))
    }
}

/// Says why the agent at this socket cannot sign, as far as Pallet can tell.
async fn unusable(agent: &Path) -> Option<String> {
    let asking = async {
        let mut socket = UnixStream::connect(agent).await?;
        socket.write_all(&[0, 0, 0, 1, LIST]).await?;
        let mut answer = vec![0; socket.read_u32().await?.min(LONGEST) as usize];
        socket.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let at = agent.display();
    match timeout(LISTING, asking).await {
        Ok(Ok(answer)) if answer == [LISTED, 0, 0, 0, 0] => {
            Some(format!("the agent at {at} holds no key: add one with `ssh-add`"))
        }
        Ok(Ok(_)) => None,
        Ok(Err(error)) => Some(format!(
            "the agent at {at} does not answer ({error}): start one with `ssh-agent`, \
                and add a key with `ssh-add`"
        )),
        Err(_) => Some(format!("the agent at {at} did not answer within {} s", LISTING.as_secs())),
    }
}

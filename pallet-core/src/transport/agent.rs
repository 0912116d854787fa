//! The ssh agent of this machine, lent to the commands of a connection, one at a time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::TransportError;

/// Why nothing can be lent where there is no agent.
pub(super) const NO_AGENT: &str = "there is no ssh agent here (SSH_AUTH_SOCK): start one with \
    `ssh-agent`, and add a key with `ssh-add`";
/// Why nothing can be lent over most connections.
pub(super) const NO_SSH: &str = "it is not reached over ssh, and over nothing else can an agent be \
    forwarded: give it a key of its own";

/// The longest message of an agent, by OpenSSH.
pub(super) const LONGEST: u32 = 256 * 1024;
/// Messages of the agent's protocol: the list of keys, and its answer.
pub(super) const LIST: u8 = 11;
const LISTED: u8 = 12;
/// How long the agent may take to list its keys.
const LISTING: Duration = Duration::from_secs(5);

/// The agent that a connection can lend.
#[derive(Debug, Default)]
pub(super) struct Agent {
    socket: Option<PathBuf>,
    /// Whether the next command may use it.
    lent: bool,
}

impl Agent {
    /// The one at this socket, if there is one.
    pub(super) fn at(socket: Option<PathBuf>) -> Self {
        Agent { socket, lent: false }
    }

    /// Lends it to the next command on `host`. The error says why it can sign nothing; where there
    /// is none, `without` does.
    pub(super) async fn lend(&mut self, host: &str, without: &str) -> Result<(), TransportError> {
        let why = match &self.socket {
            Some(socket) => unusable(socket).await,
            None => Some(without.to_owned()),
        };
        self.lent = why.is_none();
        why.map_or(Ok(()), |message| Err(TransportError::Agent { host: host.to_owned(), message }))
    }

    /// The socket, for the command that it was lent to.
    pub(super) fn take(&mut self) -> Option<PathBuf> {
        self.socket.clone().filter(|_| std::mem::take(&mut self.lent))
    }
}

/// Why the agent at this socket can sign nothing, if that can be known.
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
        Err(_) => Some(format!("the agent at {at} does not answer for {} s", LISTING.as_secs())),
    }
}

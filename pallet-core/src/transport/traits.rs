//! The interface of all transports.

use std::time::Duration;

use async_trait::async_trait;

use super::agent::NO_SSH;
use super::settings::SHELL_TIMEOUT;
use super::{Input, TransportError};

/// A connection to one node. It has one owner and is opened once per operation.
#[async_trait]
pub trait Transport: Send {
    /// Runs a command line in the login user's shell, feeds it `input`, streams its output, and
    /// returns its exit code. As in a shell, the exit code after a signal is 128 plus the signal's
    /// number.
    ///
    /// A command that does not read its input still ends. Dropping the returned future abandons the
    /// command; the connection stays usable.
    async fn exec(
        &mut self,
        command: &str,
        input: Input,
        output: &mut Output<'_>,
    ) -> Result<i32, TransportError>;

    /// Lets the next command use this machine's ssh agent, through `SSH_AUTH_SOCK`.
    async fn lend_agent(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Agent { host: self.peer().to_owned(), message: NO_SSH.to_owned() })
    }

    /// Ends the connection.
    async fn close(&mut self);

    /// The other end, for messages.
    fn peer(&self) -> &str {
        "the node"
    }

    /// Timeout for the login shell to run our command.
    fn shell_timeout(&self) -> Duration {
        SHELL_TIMEOUT
    }
}

/// Receives a command's output piece by piece.
pub type Output<'a> = dyn FnMut(Stream, &[u8]) + Send + 'a;

/// Which stream output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

//! What every transport does.

use std::time::Duration;

use async_trait::async_trait;

use super::agent::NO_SSH;
use super::settings::SHELL_TIMEOUT;
use super::{Input, TransportError};

/// A connection to one node, with one owner. Opened once per operation.
#[async_trait]
pub trait Transport: Send {
    /// Runs a command line in the login user's shell, feeds it `input`, hands over its output as it
    /// comes, and returns its exit code (128 and the number of the signal that ended it, as a shell
    /// says it).
    ///
    /// A command that does not read its input still ends. When the returned future is dropped the
    /// command is abandoned; the connection can be used again.
    async fn exec(
        &mut self,
        command: &str,
        input: Input,
        output: &mut Output<'_>,
    ) -> Result<i32, TransportError>;

    /// Lets the next command use the ssh agent of this machine, whose socket it finds in
    /// `SSH_AUTH_SOCK`.
    async fn lend_agent(&mut self) -> Result<(), TransportError> {
        Err(TransportError::Agent { host: self.peer().to_owned(), message: NO_SSH.to_owned() })
    }

    /// Ends the connection.
    async fn close(&mut self);

    /// Who is at the other end, for messages.
    fn peer(&self) -> &str {
        "the node"
    }

    /// How long its login shell may take until it runs what it is given.
    fn shell_timeout(&self) -> Duration {
        SHELL_TIMEOUT
    }
}

/// Who takes a command's output, piece by piece, as it comes.
pub type Output<'a> = dyn FnMut(Stream, &[u8]) + Send + 'a;

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

//! Reaching a node: ssh, a command prefix, or this machine. One trait, one way to run a script.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::Connection;

mod agent;
mod error;
mod exec;
mod input;
mod local;
mod recorded;
mod root;
mod secret;
mod settings;
mod shell;
mod sieve;
mod ssh;
mod unstarted;

pub use error::TransportError;
pub use exec::Exec;
pub use input::{Gate, Input, InputPart};
pub use recorded::Recorded;
pub use secret::Secret;
pub use settings::{ConnectSettings, Prompt, Shared};
pub use shell::{
    Become, Ran, Turn, put, put_in_turn, run_program, run_program_in_turn, run_script,
    run_script_in_turn,
};
pub use ssh::Ssh;

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
        Err(TransportError::Agent {
            host: self.peer().to_owned(),
            message: agent::NO_SSH.to_owned(),
        })
    }

    /// Ends the connection.
    async fn close(&mut self);

    /// Who is at the other end, for messages.
    fn peer(&self) -> &str {
        "the node"
    }

    /// How long its login shell may take until it runs what it is given.
    fn shell_timeout(&self) -> Duration {
        settings::SHELL_TIMEOUT
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

/// Opens a connection to a node.
pub async fn connect(
    connection: &Connection,
    settings: &ConnectSettings,
) -> Result<Box<dyn Transport>, TransportError> {
    match connection {
        Connection::Ssh(ssh) => Ok(Box::new(Ssh::connect(ssh, settings).await?)),
        Connection::Exec { command } => Ok(Box::new(Exec::new(command, settings)?)),
        Connection::Local => Ok(Box::new(local::local(settings))),
        Connection::Unknown => Err(TransportError::Config {
            message: "the provider wants a way to connect that this pallet does not know: a newer \
                pallet is needed"
                .to_owned(),
        }),
    }
}

/// Who will log in over ssh, once the ssh configuration was read; `None` where a connection has no
/// login, and `id -u` tells.
pub fn login_user(
    connection: &Connection,
    settings: &ConnectSettings,
) -> Result<Option<String>, TransportError> {
    match connection {
        Connection::Ssh(ssh) => ssh::login_user(ssh, settings).map(Some),
        _ => Ok(None),
    }
}

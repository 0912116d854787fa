//! Reaching a node: ssh, a command prefix, or this machine. One trait, one way to run a script.

use std::path::PathBuf;

use async_trait::async_trait;

mod error;
pub use error::TransportError;

/// A connection to one node, with one owner. Opened once per operation.
#[async_trait]
pub trait Transport: Send {
    /// Runs a command line in the login user's shell, feeds it `input`, hands over its output as it comes, and returns its exit code.
    async fn exec(&mut self, command: &str, input: Input, output: &mut (dyn FnMut(Stream, &[u8]) + Send)) -> Result<i32, TransportError>;

    /// Ends the connection.
    async fn close(&mut self);
}

/// Where output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a command reads: pieces that are streamed one after the other, files never held whole in memory.
#[derive(Debug, Clone, Default)]
pub struct Input(pub Vec<InputPart>);

/// One piece of a command's input.
#[derive(Debug, Clone)]
pub enum InputPart {
    /// From memory.
    Bytes(Vec<u8>),
    /// From a file of this machine.
    File(PathBuf),
}

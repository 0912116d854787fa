//! Why a node is unreachable or stopped answering. There is one variant for each thing that a
//! caller can do next.

use std::path::PathBuf;

use thiserror::Error;

/// Why a connection failed. Each error is one line that names the node and what to do.
#[derive(Debug, Clone, Error)]
pub enum TransportError {
    /// The node is unreachable. A retry may help.
    #[error("cannot connect to {host}: {message}")]
    Connect {
        /// Host and port.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The host key does not prove that this is the right node. Only a person can decide that it
    /// is.
    #[error("host key of {host}: {message}")]
    HostKey {
        /// Host and port.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The node rejected the login.
    #[error("cannot log in to {host} as {user}: {message}")]
    Authenticate {
        /// Host and port.
        host: String,
        /// The user who tried to log in.
        user: String,
        /// What was tried, and what to do.
        message: String,
    },
    /// Something timed out.
    #[error("{host}: {message}")]
    Timeout {
        /// The node that Pallet waited for.
        host: String,
        /// What took too long, and what to do.
        message: String,
    },
    /// The connection broke.
    #[error("lost the connection to {host}: {message}")]
    Lost {
        /// The node that was connected.
        host: String,
        /// What went wrong.
        message: String,
    },
    /// The login user could not become root.
    #[error("cannot become root on {host}: {message}")]
    Become {
        /// The node.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The node cannot use this machine's ssh agent.
    #[error("cannot forward the ssh agent to {host}: {message}")]
    Agent {
        /// The node.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The shell did not start.
    #[error("cannot run a command on {host}: {message}")]
    Start {
        /// The node.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// A file could not be written on the node.
    #[error("cannot write {path} on {host}: {message}")]
    Write {
        /// The node.
        host: String,
        /// The file on the node.
        path: String,
        /// What went wrong.
        message: String,
    },
    /// A file on this machine could not be read.
    #[error("cannot read {}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
    /// The ssh configuration, or the connection from the provider, is unusable.
    #[error("{message}")]
    Config {
        /// What is wrong, where, and what to do.
        message: String,
    },
    /// The operation timed out.
    #[error("{message}")]
    Overdue {
        /// What was not done.
        message: String,
    },
    /// The operation was stopped.
    #[error("the operation was stopped")]
    Cancelled,
}

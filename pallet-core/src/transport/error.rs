//! Why a node could not be reached, or stopped answering: one variant for each thing a caller may
//! do next.

use std::path::PathBuf;

use thiserror::Error;

/// A connection that failed, and why. Each is one line that names the node and what to do.
#[derive(Debug, Clone, Error)]
pub enum TransportError {
    /// The node could not be reached; it may be later.
    #[error("cannot connect to {host}: {message}")]
    Connect {
        /// Host and port.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The node is not known to be the one that is meant. Only a person can decide that it is.
    #[error("host key of {host}: {message}")]
    HostKey {
        /// Host and port.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The node lets this user not in.
    #[error("{host} does not let {user} in: {message}")]
    Authenticate {
        /// Host and port.
        host: String,
        /// Who wanted to log in.
        user: String,
        /// What was tried, and what to do.
        message: String,
    },
    /// Something took longer than it may.
    #[error("{host}: {message}")]
    Timeout {
        /// Who was waited for.
        host: String,
        /// What took too long, and what to do.
        message: String,
    },
    /// The connection ended in the middle.
    #[error("lost the connection to {host}: {message}")]
    Lost {
        /// Who was connected.
        host: String,
        /// What went wrong.
        message: String,
    },
    /// The login user could not become root.
    #[error("cannot become root on {host}: {message}")]
    Become {
        /// Where.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// The agent of this machine cannot be used on the node.
    #[error("cannot forward the ssh agent to {host}: {message}")]
    Agent {
        /// Where.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// No shell could be started.
    #[error("cannot run a command on {host}: {message}")]
    Start {
        /// Where.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
    /// A file could not be put on the node.
    #[error("cannot write {path} on {host}: {message}")]
    Write {
        /// Where.
        host: String,
        /// The file on the node.
        path: String,
        /// What went wrong.
        message: String,
    },
    /// A file of this machine could not be read.
    #[error("cannot read {}: {message}", path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
    /// The configuration of ssh, or a connection that the provider gave, cannot be used.
    #[error("{message}")]
    Config {
        /// What is wrong, where, and what to do.
        message: String,
    },
    /// The operation's time was up.
    #[error("{message}")]
    Overdue {
        /// What was not done.
        message: String,
    },
    /// The operation was stopped.
    #[error("the operation was stopped")]
    Cancelled,
}

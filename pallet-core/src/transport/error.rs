//! Why a node could not be reached, or stopped answering.

use thiserror::Error;

/// A connection that failed, and why.
#[derive(Debug, Error)]
pub enum TransportError {
    /// The node could not be reached.
    #[error("cannot connect to {host}: {message}")]
    Connect {
        /// Host and port.
        host: String,
        /// What went wrong, and what to do.
        message: String,
    },
}

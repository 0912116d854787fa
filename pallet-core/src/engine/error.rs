//! Why an operation could not begin.

use thiserror::Error;

use crate::plugin::{ErrorKind, PluginError};

/// An operation that could not begin.
#[derive(Debug, Clone, Error)]
pub enum EngineError {
    /// The service said no.
    #[error("service {provider}: {error}")]
    Service {
        /// Its provider.
        provider: String,
        /// What it said.
        error: PluginError,
    },
    /// A group's count is not known.
    #[error("group {group} has no count; declare one, or say {group}=N")]
    NoCount {
        /// The group.
        group: String,
    },
    /// More nodes than there may be.
    #[error(
        "the groups want {wanted} nodes ({group} alone {count}); the limit is {limit}: if they are \
         meant, raise `max_nodes` ([project] in pallet.toml)"
    )]
    TooManyNodes {
        /// How many.
        wanted: u64,
        /// The group that wants the most.
        group: String,
        /// How many it wants.
        count: u32,
        /// How many there may be.
        limit: u32,
    },
    /// The caller did not agree.
    #[error("{0}")]
    Refused(String),
    /// Another converge is at work on the project's nodes.
    #[error(
        "another converge or down is at work on this project's nodes: {holder}; wait until it is \
         done (its lease ends in {seconds} s unless it is renewed)"
    )]
    Leased {
        /// Whose.
        holder: String,
        /// How long its lease lasts, in seconds.
        seconds: u64,
    },
    /// A name that no node and no group has.
    #[error("there is no {what} {name}; {help}")]
    NoSuchName {
        /// What was looked for: `node or group`.
        what: &'static str,
        /// The name.
        name: String,
        /// The name that was probably meant, or those that there are.
        help: String,
    },
    /// A group without nodes.
    #[error("group {group} has no nodes; converge makes them")]
    NoNodes {
        /// The group.
        group: String,
    },
    /// A bug.
    #[error("a task of the engine ended early: {0}")]
    Task(String),
}

impl From<EngineError> for PluginError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Service { error, .. } => error,
            other => PluginError::new(ErrorKind::Failed, other.to_string()),
        }
    }
}

//! Why an operation could not begin.

use thiserror::Error;

use super::selection::PatternError;
use crate::plugin::{ErrorKind, PluginError};

/// An operation that could not begin.
#[derive(Debug, Clone, Error)]
pub enum EngineError {
    /// The service failed.
    #[error("service {provider}: {error}")]
    Service {
        /// Its provider.
        provider: String,
        /// Its error.
        error: PluginError,
    },
    /// A group without a count.
    #[error("group {group} has no count; declare one, or write {group}=N")]
    NoCount {
        /// The group.
        group: String,
    },
    /// The groups exceed the maximum number of nodes.
    #[error(
        "the groups want {wanted} nodes ({group} alone {count}); the limit is {limit}; if that \
         is intended, raise `max_nodes` ([project] in pallet.toml)"
    )]
    TooManyNodes {
        /// How many nodes they want in total.
        wanted: u64,
        /// The group that wants the most.
        group: String,
        /// How many it wants.
        count: u32,
        /// The maximum.
        limit: u32,
    },
    /// The operation was refused: invalid input, or the caller did not agree.
    #[error("{0}")]
    Refused(String),
    /// Nodes that must not be destroyed.
    #[error(
        "group {group} is protected, and this destroys {nodes}; to allow that this once, add \
         --unprotect {group}"
    )]
    Protected {
        /// The group.
        group: String,
        /// Its nodes that would be destroyed.
        nodes: String,
    },
    /// Too few nodes would be left.
    #[error(
        "group {group} must keep at least {min_count} nodes (min_count), not {count}; to allow \
         fewer this once, add --unprotect {group}"
    )]
    MinCount {
        /// The group.
        group: String,
        /// How many nodes it wants.
        count: u32,
        /// How many it must keep.
        min_count: u32,
    },
    /// Another converge or down is working on the project's nodes.
    #[error(
        "another converge or down is changing this project's nodes: {holder}; wait until it is \
         done (its lease expires in {seconds} s unless it is renewed)"
    )]
    Leased {
        /// Who holds the lease.
        holder: String,
        /// In how many seconds the lease expires.
        seconds: u64,
    },
    /// A name that no node and no group has.
    #[error("there is no {what} {name}; {help}")]
    NoSuchName {
        /// The kind of name: `node or group`.
        what: &'static str,
        /// The name.
        name: String,
        /// A suggestion: the closest name, or all names.
        help: String,
    },
    /// A group without nodes.
    #[error("group {group} has no nodes; converge creates them")]
    NoNodes {
        /// The group.
        group: String,
    },
    /// The journal cannot be written.
    #[error(
        "{0}; nothing was changed since; free space there or allow writing, or use --no-journal"
    )]
    Journal(String),
    /// A bug.
    #[error("internal error: a task ended early: {0}")]
    Task(String),
}

impl EngineError {
    /// Whether the operation was refused because of how it was asked for.
    pub fn is_refusal(&self) -> bool {
        matches!(self, EngineError::Refused(_) | EngineError::NoSuchName { .. })
    }
}

impl From<PatternError> for EngineError {
    fn from(error: PatternError) -> Self {
        EngineError::Refused(error.to_string())
    }
}

impl From<EngineError> for PluginError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Service { error, .. } => error,
            other => PluginError::new(ErrorKind::Failed, other.to_string()),
        }
    }
}

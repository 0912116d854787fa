//! The outcome of an operation, node by node. Failures are data.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::action::SourceLocation;
use crate::engine::excerpt::short;
use crate::engine::vault::Vault;

/// The outcome of an operation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// The outcomes of all nodes, sorted by name.
    pub nodes: Vec<NodeOutcome>,
    /// The names of the nodes that were created; in a dry run, of those that would be.
    pub created: Vec<String>,
    /// The names of the nodes that were destroyed; in a dry run, of those that would be. A node
    /// that could not be destroyed is in `nodes`, with the reason.
    pub destroyed: Vec<String>,
    /// Errors that do not belong to a node.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// It was stopped before the end.
    pub cancelled: bool,
    /// It only checked for drift.
    pub drift_only: bool,
}

/// The outcome of one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeOutcome {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: String,
    /// How many changes by hand were found on it and kept.
    pub drifted: usize,
    /// The result.
    #[serde(flatten)]
    pub result: NodeResult,
}

/// The result of one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum NodeResult {
    /// There was nothing to do.
    Unchanged,
    /// It was changed; in a dry run, it would be.
    Changed {
        /// How many actions changed something.
        changes: usize,
    },
    /// It failed. Other nodes are not affected.
    Failed {
        /// How many actions changed something before the failure.
        changes: usize,
        /// The error.
        error: NodeError,
    },
    /// The operation ended before it did anything on the node.
    NotReached {
        /// Why the operation ended.
        reason: String,
    },
}

impl NodeResult {
    /// Whether the node succeeded.
    pub fn ok(&self) -> bool {
        matches!(self, NodeResult::Unchanged | NodeResult::Changed { .. })
    }
}

/// The numbers of nodes in each state after an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Whether all nodes succeeded.
    pub ok: bool,
    /// Nodes that were changed; in a dry run, that would be.
    pub changed: usize,
    /// Nodes with nothing to do.
    pub unchanged: usize,
    /// Nodes that failed.
    pub failed: usize,
    /// Nodes that the operation did not reach.
    pub not_reached: usize,
    /// Nodes that were created; in a dry run, that would be.
    pub created: usize,
    /// Nodes that were destroyed; in a dry run, that would be.
    pub destroyed: usize,
    /// The operation was stopped before the end.
    pub cancelled: bool,
}

/// An outcome that can be summed up as numbers of nodes.
pub(in crate::engine) trait Summary {
    /// The numbers of nodes; `None` if nothing was done.
    fn totals(&self) -> Option<Totals>;
}

impl<T: Summary> Summary for Option<T> {
    fn totals(&self) -> Option<Totals> {
        self.as_ref().and_then(Summary::totals)
    }
}

impl Summary for Outcome {
    fn totals(&self) -> Option<Totals> {
        let (changed, unchanged, failed) = self.counts();
        Some(Totals {
            ok: self.ok(),
            changed,
            unchanged,
            failed,
            not_reached: self.not_reached(),
            created: self.created.len(),
            destroyed: self.destroyed.len(),
            cancelled: self.cancelled,
        })
    }
}

/// Why a node failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeError {
    /// The error, in one line.
    pub message: String,
    /// The phase that failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<String>,
    /// The action that failed: `remote_file /etc/motd`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<String>,
    /// The place in the project.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceLocation>,
    /// Details for people: the last lines that a command printed, or the marked line of the
    /// project.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

impl Outcome {
    /// Whether all nodes succeeded.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.errors.is_empty() && self.nodes.iter().all(|node| node.result.ok())
    }

    /// The number of nodes that the operation did not reach.
    pub fn not_reached(&self) -> usize {
        let not_reached =
            |node: &&NodeOutcome| matches!(node.result, NodeResult::NotReached { .. });
        self.nodes.iter().filter(not_reached).count()
    }

    /// How many changes since the last apply were found on the nodes and kept.
    pub fn drifted(&self) -> usize {
        self.nodes.iter().map(|node| node.drifted).sum()
    }

    /// The numbers of changed, unchanged and failed nodes.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |wanted: fn(&NodeResult) -> bool| {
            self.nodes.iter().filter(|node| wanted(&node.result)).count()
        };
        (
            count(|result| matches!(result, NodeResult::Changed { .. })),
            count(|result| matches!(result, NodeResult::Unchanged)),
            count(|result| matches!(result, NodeResult::Failed { .. })),
        )
    }
}

impl NodeError {
    /// Redacts all secrets, and shortens long messages.
    pub(in crate::engine) fn redact(&mut self, vault: &Vault) {
        let texts = [&mut self.message, &mut self.detail].into_iter().chain(self.action.as_mut());
        texts.for_each(|text| vault.redact_in(text));
        for text in std::iter::once(&mut self.message).chain(self.action.as_mut()) {
            if let Cow::Owned(short) = short(text) {
                *text = short;
            }
        }
    }

    /// An error with only a message.
    pub fn new(message: impl Into<String>) -> Self {
        NodeError { message: message.into(), ..Default::default() }
    }
}

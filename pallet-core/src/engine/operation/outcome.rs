//! How an operation ended, node by node. Failure is data.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::action::SourceLocation;
use crate::engine::excerpt::short;
use crate::engine::vault::Vault;

/// How an operation ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Outcome {
    /// Every node's part, in the order of their names.
    pub nodes: Vec<NodeOutcome>,
    /// The names of nodes that were created; in a dry run: that would be.
    pub created: Vec<String>,
    /// The names of nodes that were destroyed; in a dry run: that would be. One that could not be
    /// is among `nodes`, with the reason.
    pub destroyed: Vec<String>,
    /// What went wrong that is no node's part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// It was stopped before it was over.
    pub cancelled: bool,
    /// It only looked for drift.
    pub drift_only: bool,
}

/// How one node's part ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NodeOutcome {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: String,
    /// How much of it was changed by hand since Pallet wrote it, and is kept.
    pub drifted: usize,
    /// How it ended.
    #[serde(flatten)]
    pub result: NodeResult,
}

/// How one node's part ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum NodeResult {
    /// There was nothing to do.
    Unchanged,
    /// It was changed; in a dry run: it would be.
    Changed {
        /// How many actions changed something.
        changes: usize,
    },
    /// It failed. Other nodes are not concerned.
    Failed {
        /// How many actions changed something before that.
        changes: usize,
        /// Why.
        error: NodeError,
    },
    /// The operation ended before anything was done on it.
    NotReached {
        /// Why the operation ended.
        reason: String,
    },
}

impl NodeResult {
    /// Whether the node's part succeeded.
    pub fn ok(&self) -> bool {
        matches!(self, NodeResult::Unchanged | NodeResult::Changed { .. })
    }
}

/// How many nodes an operation left in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Totals {
    /// Whether every node's part succeeded.
    pub ok: bool,
    /// Nodes that were changed; in a dry run: that would be.
    pub changed: usize,
    /// Nodes with nothing to do.
    pub unchanged: usize,
    /// Nodes that failed.
    pub failed: usize,
    /// Nodes that the operation ended before.
    pub not_reached: usize,
    /// Nodes that were created; in a dry run: that would be.
    pub created: usize,
    /// Nodes that were destroyed; in a dry run: that would be.
    pub destroyed: usize,
}

/// What an operation ends with, as numbers of nodes.
pub(in crate::engine) trait Summary {
    /// Its numbers of nodes; `None` if nothing was done.
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
        })
    }
}

/// Why a node's part failed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeError {
    /// What went wrong, in one line.
    pub message: String,
    /// The phase in which it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub phase: Option<String>,
    /// The action that failed: `remote_file /etc/motd`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<String>,
    /// The place in the project.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceLocation>,
    /// More for a person: the last lines that a command printed, or the line of the project with a
    /// mark.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
}

impl Outcome {
    /// Whether every node's part succeeded.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.errors.is_empty() && self.nodes.iter().all(|node| node.result.ok())
    }

    /// How many nodes the operation ended before.
    pub fn not_reached(&self) -> usize {
        let not_reached =
            |node: &&NodeOutcome| matches!(node.result, NodeResult::NotReached { .. });
        self.nodes.iter().filter(not_reached).count()
    }

    /// How much was changed on the nodes since Pallet applied it, and is kept.
    pub fn drifted(&self) -> usize {
        self.nodes.iter().map(|node| node.drifted).sum()
    }

    /// How many nodes were changed, unchanged and failed.
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
    /// Takes all secrets out of it, and cuts what is too long for a message.
    pub(in crate::engine) fn redact(&mut self, vault: &Vault) {
        let texts = [&mut self.message, &mut self.detail].into_iter().chain(self.action.as_mut());
        texts.for_each(|text| vault.redact_in(text));
        for text in std::iter::once(&mut self.message).chain(self.action.as_mut()) {
            if let Cow::Owned(short) = short(text) {
                *text = short;
            }
        }
    }

    /// An error with nothing but a message.
    pub fn new(message: impl Into<String>) -> Self {
        NodeError { message: message.into(), ..Default::default() }
    }
}

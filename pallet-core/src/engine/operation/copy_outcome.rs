//! The outcome of a copy.

use serde::{Deserialize, Serialize};

use super::grouped::grouped;
use super::outcome::{Summary, Totals};

/// The outcome of a copy.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CopyOutcome {
    /// The results of all nodes, sorted by name.
    pub nodes: Vec<CopyResult>,
    /// It was stopped before the end.
    pub cancelled: bool,
}

/// The result of a copy with one node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyResult {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: Option<String>,
    /// What was copied, in order.
    pub copied: Vec<Copied>,
    /// Why the remaining copies failed, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Something that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// The source.
    pub from: String,
    /// The final path.
    pub to: String,
    /// The number of files: 1, or those in a directory.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
}

impl CopyOutcome {
    /// Whether everything was copied.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.nodes.iter().all(|node| node.error.is_none())
    }

    /// Groups the nodes with equal results, in the order of each group's first node.
    pub fn grouped(&self) -> Vec<(Vec<&str>, &CopyResult)> {
        grouped(
            &self.nodes,
            |result| &result.node,
            |one, other| one.copied == other.copied && one.error == other.error,
        )
    }
}

impl Summary for CopyOutcome {
    fn totals(&self) -> Option<Totals> {
        let failed = self.nodes.iter().filter(|node| node.error.is_some()).count();
        let changed = self.nodes.len() - failed;
        Some(Totals {
            ok: self.ok(),
            changed,
            failed,
            cancelled: self.cancelled,
            ..Totals::default()
        })
    }
}

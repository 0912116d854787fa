//! How a copy ended.

use serde::{Deserialize, Serialize};

use super::grouped::grouped;
use super::outcome::{Summary, Totals};

/// How a copy ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CopyOutcome {
    /// With every node, in the order of their names.
    pub nodes: Vec<CopyResult>,
    /// It was stopped before it was over.
    pub cancelled: bool,
}

/// How a copy ended with one node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CopyResult {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: Option<String>,
    /// What was copied, in order.
    pub copied: Vec<Copied>,
    /// Why the rest was not, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took, in seconds.
    pub seconds: f64,
}

/// Something that was copied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// From where.
    pub from: String,
    /// Where it is now.
    pub to: String,
    /// How many files it is: 1, or those in a directory.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
}

impl CopyOutcome {
    /// Whether everything was copied.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.nodes.iter().all(|node| node.error.is_none())
    }

    /// The nodes with which the same was copied, or failed alike, together; in the order of the
    /// first of each.
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
        Some(Totals { ok: self.ok(), changed, failed, ..Totals::default() })
    }
}

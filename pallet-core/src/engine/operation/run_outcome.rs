//! How a command ended on nodes.

use serde::{Deserialize, Serialize};

use super::grouped::grouped;
use super::outcome::{Summary, Totals};

/// How a command ended.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunOutcome {
    /// On every node, in the order of their names.
    pub nodes: Vec<RunResult>,
    /// It was stopped before it was over.
    pub cancelled: bool,
}

/// How a command ended on one node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunResult {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: Option<String>,
    /// The exit code; `None` if the command did not end by itself.
    pub exit: Option<i32>,
    /// Why it did not, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it printed; bytes that are no UTF-8 are replaced, and secrets are hidden.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
    /// How many more bytes it printed than are kept.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl RunOutcome {
    /// Whether it ran to its end everywhere, with exit code 0.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.nodes.iter().all(RunResult::ok)
    }

    /// The nodes whose results are equal, together; in the order of the first of each.
    pub fn grouped(&self) -> Vec<(Vec<&str>, &RunResult)> {
        grouped(&self.nodes, |result| &result.node, RunResult::is_like)
    }
}

impl RunResult {
    fn ok(&self) -> bool {
        self.exit == Some(0)
    }

    fn is_like(&self, other: &RunResult) -> bool {
        let said = |result: &RunResult| (result.exit, result.left_out);
        said(self) == said(other)
            && self.error == other.error
            && self.stdout == other.stdout
            && self.stderr == other.stderr
    }
}

impl Summary for RunOutcome {
    fn totals(&self) -> Option<Totals> {
        let failed = self.nodes.iter().filter(|node| !node.ok()).count();
        let unchanged = self.nodes.len() - failed;
        Some(Totals { ok: self.ok(), unchanged, failed, ..Totals::default() })
    }
}

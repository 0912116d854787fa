//! The outcome of a command on nodes.

use serde::{Deserialize, Serialize};

use super::grouped::grouped;
use super::outcome::{Summary, Totals};

/// The outcome of a command.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RunOutcome {
    /// The results of all nodes, sorted by name.
    pub nodes: Vec<RunResult>,
    /// It was stopped before the end.
    pub cancelled: bool,
}

/// The result of a command on one node.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunResult {
    /// The node's name.
    pub node: String,
    /// Its group.
    pub group: Option<String>,
    /// The exit code; `None` if the command did not end by itself.
    pub exit: Option<i32>,
    /// Why there is no exit code, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The standard output. Invalid UTF-8 is replaced, and secrets are hidden.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
    /// How many bytes of output were dropped.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl RunOutcome {
    /// Whether it exited with code 0 on all nodes.
    pub fn ok(&self) -> bool {
        !self.cancelled && self.nodes.iter().all(RunResult::ok)
    }

    /// Groups the nodes with equal results, in the order of each group's first node.
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
        Some(Totals {
            ok: self.ok(),
            unchanged,
            failed,
            cancelled: self.cancelled,
            ..Totals::default()
        })
    }
}

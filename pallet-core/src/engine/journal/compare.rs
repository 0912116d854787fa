//! Compares two operations: what only one of them did on each node.

use std::collections::BTreeMap;

use serde::Serialize;

use super::file::JournalFile;
use crate::engine::{Event, NodeResult, PlannedChange, RunResult};

/// How two operations differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The first operation.
    pub first: String,
    /// The second operation.
    pub second: String,
    /// The nodes with differences, by name.
    pub nodes: BTreeMap<String, NodeComparison>,
}

/// How two operations differ on a node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct NodeComparison {
    /// The changes that only the first operation made, in order.
    pub only_first: Vec<ComparedChange>,
    /// The changes that only the second operation made, in order.
    pub only_second: Vec<ComparedChange>,
    /// The node's result in the first operation, if the results differ; `None`: it has none.
    pub first_result: Option<String>,
    /// The node's result in the second operation, if the results differ.
    pub second_result: Option<String>,
}

/// A change that an operation made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ComparedChange {
    /// The phase.
    pub phase: String,
    /// The action's name: `remote_file`.
    pub action: String,
    /// Its subject: `/etc/motd`.
    pub subject: String,
    /// The change, in one line.
    pub summary: String,
}

/// What an operation did on a node.
#[derive(Default)]
struct Work {
    changes: Vec<ComparedChange>,
    results: Vec<String>,
}

impl JournalFile {
    /// Compares this operation with another one.
    pub fn compare(&self, other: &JournalFile) -> Comparison {
        let (mut first, mut second) = (work(self), work(other));
        let names: Vec<String> = first.keys().chain(second.keys()).cloned().collect();
        let mut comparison = Comparison {
            first: self.header.operation.clone(),
            second: other.header.operation.clone(),
            nodes: BTreeMap::new(),
        };
        for name in names {
            let first = first.remove(&name).unwrap_or_default();
            let second = second.remove(&name).unwrap_or_default();
            let mut node = NodeComparison {
                only_first: without(&first.changes, &second.changes),
                only_second: without(&second.changes, &first.changes),
                ..NodeComparison::default()
            };
            if first.results != second.results {
                (node.first_result, node.second_result) = (first.result(), second.result());
            }
            if node != NodeComparison::default() {
                comparison.nodes.insert(name, node);
            }
        }
        comparison
    }
}

impl Work {
    fn result(&self) -> Option<String> {
        (!self.results.is_empty()).then(|| self.results.join(", "))
    }
}

/// What an operation did on each node.
fn work(journal: &JournalFile) -> BTreeMap<String, Work> {
    let mut nodes: BTreeMap<String, Work> = BTreeMap::new();
    for record in &journal.records {
        let (node, result) = match &record.event {
            Event::Action { change, changed: true } => {
                let PlannedChange { node, phase, action, subject, summary, .. } = change.clone();
                let change = ComparedChange { phase, action, subject, summary };
                nodes.entry(node).or_default().changes.push(change);
                continue;
            }
            Event::Created { node, started, .. } => {
                (node, if *started { "started" } else { "created" }.to_owned())
            }
            Event::NotCreated { node, error, .. } => (node, format!("not created: {error}")),
            Event::Destroyed { node, .. } => (node, "destroyed".to_owned()),
            Event::Ran(RunResult { node, exit: Some(exit), .. }) => (node, format!("exit {exit}")),
            Event::Ran(RunResult { node, error, .. }) => {
                (node, error.clone().unwrap_or_else(|| "it did not end by itself".to_owned()))
            }
            Event::Copied(result) => {
                (&result.node, result.error.clone().unwrap_or_else(|| "copied".to_owned()))
            }
            Event::NodeFinished { node, result, .. } => (
                node,
                match result {
                    // the changes themselves are compared
                    NodeResult::Changed { .. } => "changed".to_owned(),
                    NodeResult::Unchanged => "unchanged".to_owned(),
                    other => other.to_string(),
                },
            ),
            _ => continue,
        };
        nodes.entry(node.clone()).or_default().results.push(result);
    }
    nodes
}

/// These changes without those; one that is there twice is taken away once for each.
fn without(these: &[ComparedChange], those: &[ComparedChange]) -> Vec<ComparedChange> {
    let mut counts: BTreeMap<&ComparedChange, usize> = BTreeMap::new();
    for change in those {
        *counts.entry(change).or_default() += 1;
    }
    let only = these.iter().filter(|change| match counts.get_mut(change) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        _ => true,
    });
    only.cloned().collect()
}

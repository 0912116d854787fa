//! What a journal tells about nodes: the records about one, and the outcome of the operation.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::file::JournalFile;
use crate::engine::operation::{CopyOutcome, NodeOutcome, Outcome, RunOutcome};
use crate::engine::{Event, Kind, Record};
use crate::model::natural;

impl JournalFile {
    /// The kind of the operation.
    pub fn kind(&self) -> Option<Kind> {
        self.records.iter().find_map(|record| match record.event {
            Event::Started { kind, .. } => Some(kind),
            _ => None,
        })
    }

    /// The names of all nodes in the records.
    pub fn nodes(&self) -> Vec<String> {
        let mut nodes = BTreeSet::new();
        for record in &self.records {
            if let Event::Started { nodes: of, .. } = &record.event {
                nodes.extend(of.iter().cloned());
            }
            nodes.extend(record.node());
        }
        let mut nodes: Vec<_> = nodes.into_iter().collect();
        nodes.sort_by_cached_key(|node| natural(node));
        nodes
    }

    /// The records about a node.
    pub fn about(&self, node: &str) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.node().as_deref() == Some(node))
    }

    /// The outcome of an operation that creates, configures or destroys nodes, as far as it got.
    /// Errors that do not belong to a node are only in its warnings.
    pub fn outcome(&self) -> Outcome {
        let mut outcome = Outcome { cancelled: self.is_cancelled(), ..Outcome::default() };
        let (mut nodes, mut drifted) = (BTreeMap::new(), BTreeMap::<&str, usize>::new());
        for record in &self.records {
            match &record.event {
                Event::Created { node, started: false, .. } => outcome.created.push(node.clone()),
                Event::Destroyed { node, .. } => outcome.destroyed.push(node.clone()),
                Event::Drift(change) => *drifted.entry(&change.node).or_default() += 1,
                Event::NodeFinished { node, group, result } => {
                    nodes.insert((natural(node), node), (group, result));
                }
                _ => {}
            }
        }
        outcome.nodes = nodes
            .into_iter()
            .map(|((_, node), (group, result))| NodeOutcome {
                node: node.clone(),
                group: group.clone(),
                drifted: drifted.get(node.as_str()).copied().unwrap_or_default(),
                result: result.clone(),
            })
            .collect();
        outcome
    }

    /// The outcome of a command on nodes, as far as it got.
    pub fn run_outcome(&self) -> RunOutcome {
        let results = self.records.iter().filter_map(|record| match &record.event {
            Event::Ran(result) => Some(result.clone()),
            _ => None,
        });
        let mut nodes: Vec<_> = results.collect();
        nodes.sort_by_cached_key(|result| natural(&result.node));
        RunOutcome { nodes, cancelled: self.is_cancelled() }
    }

    /// The outcome of a copy, as far as it got.
    pub fn copy_outcome(&self) -> CopyOutcome {
        let results = self.records.iter().filter_map(|record| match &record.event {
            Event::Copied(result) => Some(result.clone()),
            _ => None,
        });
        let mut nodes: Vec<_> = results.collect();
        nodes.sort_by_cached_key(|result| natural(&result.node));
        CopyOutcome { nodes, cancelled: self.is_cancelled() }
    }

    fn is_cancelled(&self) -> bool {
        self.finished().is_some_and(|(totals, _)| totals.cancelled)
    }
}

impl Record {
    /// The name of the node that this is about. Every event names it alike.
    pub fn node(&self) -> Option<String> {
        let Value::Object(mut record) = serde_json::to_value(self).ok()? else { return None };
        match record.remove("node") {
            Some(Value::String(node)) => Some(node),
            _ => None,
        }
    }
}

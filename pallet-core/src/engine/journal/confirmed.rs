//! What journals confirm: what an operation that is resumed need not do again.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::error::JournalError;
use super::file::JournalFile;
use super::journals::Journals;
use crate::engine::{DoneAction, Event, PlannedChange};

/// The longest chain of operations that resume each other.
const LONGEST: usize = 100;

/// What the journal of an operation confirms, together with those of the operations that it
/// resumes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confirmed {
    /// The nodes that are done, by their IDs.
    pub nodes: BTreeMap<String, DoneNode>,
    /// The nodes on which changes began: the ID of each by its name.
    pub begun: BTreeMap<String, String>,
    /// The actions that changed something, by the name of the node whose phase they belong to, in
    /// order.
    pub actions: BTreeMap<String, Vec<DoneAction>>,
    /// The names and IDs of the nodes that were destroyed.
    pub destroyed: BTreeSet<String>,
    /// The names of the nodes that were created.
    pub created: BTreeSet<String>,
    /// The names of the nodes that the earliest operation was for.
    pub selected: BTreeSet<String>,
    /// The IDs of the nodes that ran what must run only once.
    pub first: BTreeSet<String>,
    /// The local files that the declared actions used, each with a digest of its content.
    pub files: BTreeMap<String, String>,
    /// The operations that were read, the earliest first.
    pub operations: Vec<String>,
    /// An earlier operation whose journal is gone.
    pub missing: Option<String>,
}

/// A node that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoneNode {
    /// Its name.
    pub name: String,
    /// Where it was, if Pallet connected over ssh.
    pub address: Option<String>,
}

impl Journals {
    /// What the journal of an operation confirms, together with those of the operations that it
    /// resumes. It is an error if one of them cannot be read; one that is gone is told.
    pub fn confirmed(&self, operation: &str) -> Result<Confirmed, JournalError> {
        let mut journals = vec![self.read(operation)?];
        let mut missing = None;
        while let Some(earlier) = journals.last().and_then(|last| last.header.resumes.clone()) {
            let is_known = journals.iter().any(|journal| journal.header.operation == earlier);
            // it is the name of a file
            let is_id = Uuid::parse_str(&earlier).is_ok_and(|id| id.to_string() == earlier);
            if is_known || !is_id || journals.len() >= LONGEST {
                break;
            }
            if !self.path(&earlier).exists() {
                missing = Some(earlier);
                break;
            }
            journals.push(self.read(&earlier)?);
        }
        let mut confirmed = Confirmed { missing, ..Confirmed::default() };
        journals.into_iter().rev().for_each(|journal| confirmed.add(journal));
        Ok(confirmed)
    }
}

impl Confirmed {
    /// Whether no node was touched.
    pub fn is_empty(&self) -> bool {
        self.begun.is_empty()
            && self.nodes.is_empty()
            && self.created.is_empty()
            && self.destroyed.is_empty()
    }

    /// Adds what a later journal confirms.
    fn add(&mut self, journal: JournalFile) {
        self.operations.push(journal.header.operation);
        for record in journal.records {
            match record.event {
                Event::Started { nodes, .. } if self.operations.len() == 1 => {
                    self.selected.extend(nodes);
                }
                Event::NodeDone { node: name, id, address } => {
                    self.nodes.insert(id, DoneNode { name, address });
                }
                Event::Applying { node, id, on_behalf_of, owner_id, .. } => {
                    let (node, id) = on_behalf_of.zip(owner_id).unwrap_or((node, id));
                    self.begun.insert(node, id);
                }
                Event::Action { change, changed: true } => {
                    let PlannedChange { phase, number, action, subject, .. } = change;
                    let node = change.on_behalf_of.unwrap_or(change.node);
                    let action = DoneAction { phase, number, action, subject };
                    self.actions.entry(node).or_default().push(action);
                }
                Event::Created { node, started: false, .. } => {
                    self.created.insert(node);
                }
                Event::Destroyed { node, id, .. } => {
                    // whatever was done on it is gone with it
                    self.nodes.retain(|_, done| done.name != node);
                    self.actions.remove(&node);
                    self.begun.remove(&node);
                    self.created.remove(&node);
                    self.destroyed.extend([node, id]);
                }
                Event::Inputs { files, first } => {
                    self.files.extend(files);
                    self.first.extend(first);
                }
                _ => {}
            }
        }
    }
}

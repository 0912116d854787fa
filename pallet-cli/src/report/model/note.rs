//! What an operation told apart from changes: waves, nodes that were created, warnings.

use std::borrow::Cow;
use std::collections::HashMap;

use pallet_core::engine::{Event, JournalFile};

use super::alike::alike;
use super::work::{began, since};

/// A wave.
#[derive(Debug)]
pub(crate) struct Wave<'a> {
    pub(crate) wave: usize,
    pub(crate) waves: usize,
    pub(crate) nodes: Vec<&'a str>,
    pub(crate) from: f64,
    /// `None`: it has not ended.
    pub(crate) to: Option<f64>,
    pub(crate) failed: Vec<&'a str>,
}

/// A warning or a message of several nodes, or of none.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    /// `warning`, or the level of a message.
    pub(crate) level: &'a str,
    pub(crate) message: Cow<'a, str>,
    pub(crate) nodes: Vec<&'a str>,
}

/// Nodes that began or ended in the same way.
#[derive(Debug)]
pub(crate) struct Machines<'a> {
    /// `created`, `started` or `destroyed`.
    pub(crate) what: &'static str,
    pub(crate) group: &'a str,
    /// The image, the hardware and the location of new nodes.
    pub(crate) made_of: Vec<&'a str>,
    pub(crate) why: &'a [String],
    pub(crate) nodes: Vec<&'a str>,
}

/// The waves, in order.
pub(super) fn waves(journal: &JournalFile) -> Vec<Wave<'_>> {
    let began = began(journal);
    let mut all: Vec<Wave<'_>> = Vec::new();
    for record in &journal.records {
        let at = since(began, record.time);
        match &record.event {
            Event::WaveStarted { wave, waves, nodes } => all.push(Wave {
                wave: *wave,
                waves: *waves,
                nodes: nodes.iter().map(String::as_str).collect(),
                from: at,
                to: None,
                failed: Vec::new(),
            }),
            Event::WaveFinished { wave, failed, .. } => {
                let open = |known: &&mut Wave<'_>| known.wave == *wave && known.to.is_none();
                if let Some(known) = all.iter_mut().rev().find(open) {
                    known.to = Some(at);
                    known.failed = failed.iter().map(String::as_str).collect();
                }
            }
            _ => {}
        }
    }
    all
}

/// The warnings, then the messages.
pub(super) fn notes(journal: &JournalFile) -> Vec<Note<'_>> {
    let mut all: Vec<Note<'_>> = Vec::new();
    let mut positions = HashMap::new();
    for record in &journal.records {
        let (node, level, message) = match &record.event {
            Event::Warning { node, message } => (node, "warning", message),
            Event::Message { level, .. } if level == "debug" => continue,
            Event::Message { node, level, message } => (node, level.as_str(), message),
            _ => continue,
        };
        let message = alike(message, node.as_deref().unwrap_or_default());
        let next = all.len();
        let position = *positions.entry((level, message.clone())).or_insert(next);
        if position == next {
            all.push(Note { level, message, nodes: Vec::new() });
        }
        all[position].nodes.extend(node.as_deref());
    }
    all.sort_by_key(|note| note.level != "warning");
    all
}

/// The nodes that were created, started and destroyed.
pub(super) fn machines(journal: &JournalFile) -> Vec<Machines<'_>> {
    let mut all: Vec<Machines<'_>> = Vec::new();
    let mut made: HashMap<&str, (Vec<&str>, &[String])> = HashMap::new();
    for record in &journal.records {
        let (what, node, group) = match &record.event {
            Event::Creating { node, image, hardware, location, why, .. } => {
                let of = [image, hardware, location].into_iter().flatten();
                made.insert(node, (of.map(String::as_str).collect(), why));
                continue;
            }
            Event::Created { node, group, started: true, .. } => ("started", node, group),
            Event::Created { node, group, .. } => ("created", node, group),
            Event::Destroyed { node, group, .. } => ("destroyed", node, group),
            _ => continue,
        };
        let (made_of, why) =
            made.remove(node.as_str()).filter(|_| what == "created").unwrap_or_default();
        let is_alike = |known: &&mut Machines<'_>| {
            (known.what, known.group) == (what, group.as_str()) && known.made_of == made_of
        };
        match all.iter_mut().find(is_alike) {
            Some(known) => known.nodes.push(node),
            None => all.push(Machines { what, group, made_of, why, nodes: vec![node] }),
        }
    }
    all
}

//! Equal results of a command, or of copies, on several nodes.

use std::borrow::Cow;
use std::collections::HashMap;

use pallet_core::engine::{CopyResult, Event, JournalFile, RunResult};

use super::alike::alike;

/// The result of a command on several nodes.
#[derive(Debug)]
pub(crate) struct Ran<'a> {
    /// The result of the first node.
    pub(crate) result: &'a RunResult,
    pub(crate) error: Option<Cow<'a, str>>,
    pub(crate) stdout: Cow<'a, str>,
    pub(crate) stderr: Cow<'a, str>,
    pub(crate) nodes: Vec<&'a str>,
}

/// What was copied with several nodes.
#[derive(Debug)]
pub(crate) struct Copies<'a> {
    /// The result of the first node.
    pub(crate) result: &'a CopyResult,
    pub(crate) nodes: Vec<&'a str>,
}

/// The results of a command: those that failed first.
pub(super) fn ran(journal: &JournalFile) -> Vec<Ran<'_>> {
    let mut all: Vec<Ran<'_>> = Vec::new();
    let mut positions = HashMap::new();
    for record in &journal.records {
        let Event::Ran(result) = &record.event else { continue };
        let alike = |text| alike(text, &result.node);
        let (stdout, stderr) = (alike(&result.stdout), alike(&result.stderr));
        let error = result.error.as_deref().map(alike);
        let key = (result.exit, error.clone(), stdout.clone(), stderr.clone());
        let next = all.len();
        let position = *positions.entry(key).or_insert(next);
        if position == next {
            all.push(Ran { result, error, stdout, stderr, nodes: Vec::new() });
        }
        all[position].nodes.push(&result.node);
    }
    all.sort_by_key(|ran| ran.result.exit == Some(0));
    all
}

/// What was copied.
pub(super) fn copies(journal: &JournalFile) -> Vec<Copies<'_>> {
    let mut all: Vec<Copies<'_>> = Vec::new();
    for record in &journal.records {
        let Event::Copied(result) = &record.event else { continue };
        if result.copied.is_empty() {
            continue;
        }
        match all.iter_mut().find(|known| known.result.copied == result.copied) {
            Some(known) => known.nodes.push(&result.node),
            None => all.push(Copies { result, nodes: vec![&result.node] }),
        }
    }
    all
}

//! Equal failures of several nodes, with their output.

use std::borrow::Cow;
use std::collections::HashMap;

use pallet_core::action::SourceLocation;
use pallet_core::engine::{NodeError, NodeResult};

use super::alike::alike;
use super::tail::Tail;
use super::work::{Gathered, State, Work};

/// Why nodes failed.
#[derive(Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) message: Cow<'a, str>,
    pub(crate) phase: Option<&'a str>,
    pub(crate) action: Option<&'a str>,
    pub(crate) source: Option<&'a SourceLocation>,
    /// The last lines that a command printed, or the marked line of the project: of the first node.
    pub(crate) detail: &'a str,
    /// What the failed action printed on the first node.
    pub(crate) output: Option<Tail<'a>>,
    pub(crate) nodes: Vec<&'a str>,
}

type Key<'a> = (Cow<'a, str>, Option<&'a str>, Option<&'a str>, Option<(&'a str, u32)>);

/// Finds equal failures.
#[derive(Default)]
pub(super) struct Failures<'a> {
    pub(super) failures: Vec<Failure<'a>>,
    positions: HashMap<Key<'a>, usize>,
}

/// Nodes that an operation did not reach.
#[derive(Debug)]
pub(crate) struct NotReached<'a> {
    pub(crate) reason: &'a str,
    pub(crate) nodes: Vec<&'a str>,
}

impl<'a> Failures<'a> {
    /// Adds the failure of a node, if it failed. Returns its position.
    pub(super) fn add(&mut self, work: &Work<'a>, gathered: &Gathered<'a>) -> Option<usize> {
        let alone = |message| Failure {
            message: alike(message, work.node),
            phase: None,
            action: None,
            source: None,
            detail: "",
            output: None,
            nodes: Vec::new(),
        };
        let failure = match work.state {
            State::NotCreated(error) => alone(error),
            State::Copied(Some(error)) => alone(error),
            State::Finished(NodeResult::Failed { error, .. }) => {
                let NodeError { message, phase, action, source, detail } = error;
                Failure {
                    phase: phase.as_deref(),
                    action: action.as_deref(),
                    source: source.as_ref(),
                    detail,
                    output: output(work, error, gathered),
                    ..alone(message)
                }
            }
            _ => return None,
        };
        let place = failure.source.map(|source| (source.file.as_str(), source.line));
        let key = (failure.message.clone(), failure.phase, failure.action, place);
        let next = self.failures.len();
        let position = *self.positions.entry(key).or_insert(next);
        if position == next {
            self.failures.push(failure);
        }
        self.failures[position].nodes.push(work.node);
        Some(position)
    }
}

/// What a failed action printed, if that is more than its error has.
fn output<'a>(work: &Work<'a>, error: &'a NodeError, gathered: &Gathered<'a>) -> Option<Tail<'a>> {
    let (phase, action) = (error.phase.as_deref()?, error.action.as_deref()?);
    let output = gathered.outputs.get(&(work.node, phase))?.get(action)?;
    let more = output.left_out > 0 || output.lines.iter().any(|line| !error.detail.contains(line));
    more.then(|| output.clone())
}

/// The nodes that were not reached, by reason.
pub(super) fn not_reached<'a>(works: &[Work<'a>]) -> Vec<NotReached<'a>> {
    let mut found: Vec<NotReached<'a>> = Vec::new();
    for work in works {
        let State::Finished(NodeResult::NotReached { reason }) = work.state else { continue };
        match found.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.nodes.push(work.node),
            None => found.push(NotReached { reason, nodes: vec![work.node] }),
        }
    }
    found
}

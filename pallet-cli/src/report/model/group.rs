//! Equal changes of several nodes, with their diffs and output.

use std::borrow::Cow;
use std::collections::HashMap;

use pallet_core::engine::PlannedChange;

use super::alike::alike;
use super::tail::Tail;
use super::work::{Gathered, Mark, Step};

/// How many different diffs, and outputs, of a change are kept.
const VARIANTS: usize = 10;

/// An action that several nodes have, with what it did there.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The change of the first node.
    pub(crate) change: &'a PlannedChange,
    /// Its subject and its change in one line, without the node's name.
    pub(crate) subject: Cow<'a, str>,
    pub(crate) summary: Cow<'a, str>,
    /// The nodes that it changed.
    pub(crate) changed: Vec<&'a str>,
    pub(crate) diffs: Variants<'a, Cow<'a, str>>,
    pub(crate) outputs: Variants<'a, Tail<'a>>,
    /// The nodes on which it found drift.
    pub(crate) drifted: Vec<&'a str>,
    pub(crate) drift: Variants<'a, Cow<'a, str>>,
}

/// Different values, each with its nodes; and the nodes of all others.
#[derive(Debug)]
pub(crate) struct Variants<'a, T> {
    pub(crate) kept: Vec<(T, Vec<&'a str>)>,
    pub(crate) others: Vec<&'a str>,
}

impl<T> Default for Variants<'_, T> {
    fn default() -> Self {
        Variants { kept: Vec::new(), others: Vec::new() }
    }
}

impl<'a, T: PartialEq> Variants<'a, T> {
    fn add(&mut self, value: T, node: &'a str) {
        let is_full = self.kept.len() >= VARIANTS;
        match self.kept.iter_mut().find(|(known, _)| *known == value) {
            Some((_, nodes)) => nodes.push(node),
            None if !is_full => self.kept.push((value, vec![node])),
            None => self.others.push(node),
        }
    }
}

/// What makes two changes of different nodes equal.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    phase: &'a str,
    action: &'a str,
    subject: Cow<'a, str>,
    summary: Cow<'a, str>,
    place: Option<(&'a str, u32)>,
    /// The node on which it is done for another one.
    delegate: Option<&'a str>,
}

/// Finds equal changes.
#[derive(Default)]
pub(super) struct Groups<'a> {
    pub(super) groups: Vec<Group<'a>>,
    positions: HashMap<Key<'a>, usize>,
}

impl<'a> Groups<'a> {
    /// Adds what an action did on a node. Returns the position of its group.
    pub(super) fn add(&mut self, node: &'a str, step: &Step<'a>, gathered: &Gathered<'a>) -> usize {
        let change = step.change;
        let (subject, summary) = (alike(&change.subject, node), alike(&change.summary, node));
        let key = Key {
            phase: &change.phase,
            action: &change.action,
            subject: subject.clone(),
            summary: summary.clone(),
            place: change.source.as_ref().map(|source| (source.file.as_str(), source.line)),
            delegate: change.on_behalf_of.as_ref().map(|_| change.node.as_str()),
        };
        let next = self.groups.len();
        let position = *self.positions.entry(key).or_insert(next);
        if position == next {
            self.groups.push(Group {
                change,
                subject,
                summary,
                changed: Vec::new(),
                diffs: Variants::default(),
                outputs: Variants::default(),
                drifted: Vec::new(),
                drift: Variants::default(),
            });
        }
        let group = &mut self.groups[position];
        match step.mark {
            Mark::Unchanged => {}
            Mark::Drift => {
                group.drifted.push(node);
                if !change.diff.is_empty() {
                    group.drift.add(alike(&change.diff, node), node);
                }
            }
            Mark::Changed => {
                group.changed.push(node);
                if !change.diff.is_empty() {
                    group.diffs.add(alike(&change.diff, node), node);
                }
                if let Some(output) = gathered.output(change) {
                    group.outputs.add(output.clone(), node);
                }
            }
        }
        position
    }
}

impl<'a> Gathered<'a> {
    /// What an action printed, where it ran.
    fn output(&self, change: &'a PlannedChange) -> Option<&Tail<'a>> {
        if self.outputs.is_empty() {
            return None;
        }
        let action = format!("{} {}", change.action, change.subject);
        let of_phase = self.outputs.get(&(change.node.as_str(), change.phase.as_str()))?;
        of_phase.get(action.as_str())
    }
}

//! An operation, as its page shows it.

use std::collections::HashMap;
use std::time::SystemTime;

use pallet_core::engine::{
    Ending, Event, JournalFile, JournalHeader, Kind, NodeResult, Totals, natural,
};

use super::failure::{Failure, Failures, NotReached, not_reached};
use super::group::{Group, Groups};
use super::lane::{Lane, Unplaced, lanes};
use super::note::{Machines, Note, Wave, machines, notes, waves};
use super::result::{Copies, Ran, copies, ran};
use super::work::{Gathered, State};

/// An operation, as its page shows it: everything about equal nodes is together.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) header: &'a JournalHeader,
    pub(crate) kind: Option<Kind>,
    pub(crate) ending: Ending,
    pub(crate) finished: Option<(&'a Totals, f64)>,
    /// How long the timeline is, in seconds.
    pub(crate) seconds: f64,
    /// The last line of the journal is incomplete, or it has no record of the end.
    pub(crate) incomplete: bool,
    /// How many nodes there are.
    pub(crate) nodes: usize,
    /// Of how many nodes these were selected.
    pub(crate) of: Option<usize>,
    /// How many nodes are in each state, by its word.
    pub(crate) counts: Vec<(&'static str, usize)>,
    /// The names of the phases, in the order in which they began.
    pub(crate) phases: Vec<&'a str>,
    pub(crate) lanes: Vec<Lane<'a>>,
    /// The lane of each node.
    pub(crate) lane_of: HashMap<&'a str, usize>,
    /// The actions: those that changed something, found drift, or had nothing to do.
    pub(crate) groups: Vec<Group<'a>>,
    pub(crate) failures: Vec<Failure<'a>>,
    pub(crate) not_reached: Vec<NotReached<'a>>,
    pub(crate) ran: Vec<Ran<'a>>,
    pub(crate) copies: Vec<Copies<'a>>,
    pub(crate) waves: Vec<Wave<'a>>,
    pub(crate) machines: Vec<Machines<'a>>,
    pub(crate) notes: Vec<Note<'a>>,
}

impl<'a> Report<'a> {
    /// The report of a journal. `machine` is this machine and its boot.
    pub(crate) fn of(journal: &'a JournalFile, machine: &str, now: SystemTime) -> Self {
        let ending = journal.ending(machine);
        let now = (ending == Ending::Running).then_some(now);
        let mut gathered = Gathered::of(journal, now);
        let mut works = std::mem::take(&mut gathered.works);
        works.sort_by_cached_key(|work| natural(work.node));
        let not_reached = not_reached(&works);
        let mut counts: Vec<(&'static str, usize)> = Vec::new();
        let mut phases: Vec<(f64, &'a str)> = Vec::new();
        let (mut groups, mut failures) = (Groups::default(), Failures::default());
        let mut nodes = Vec::with_capacity(works.len());
        for work in works {
            let word = super::lane::word(work.state);
            match counts.iter_mut().find(|(known, _)| *known == word) {
                Some((_, count)) => *count += 1,
                None => counts.push((word, 1)),
            }
            for span in &work.spans {
                match phases.iter_mut().find(|(_, phase)| *phase == span.phase) {
                    Some((from, _)) => *from = from.min(span.from),
                    None => phases.push((span.from, span.phase)),
                }
            }
            let steps = work.steps.iter();
            let plan =
                steps.map(|step| (groups.add(work.node, step, &gathered), step.mark)).collect();
            let failure = failures.add(&work, &gathered);
            nodes.push(Unplaced { work, plan, failure });
        }
        phases.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        let count = nodes.len();
        let lanes = lanes(nodes);
        let lane_of = lanes.iter().enumerate();
        let lane_of = lane_of.flat_map(|(at, lane)| lane.names().map(move |name| (name, at)));
        let finished = journal.finished();
        Report {
            header: &journal.header,
            kind: journal.kind(),
            ending,
            finished,
            seconds: finished.map_or(gathered.last, |(_, seconds)| seconds.max(gathered.last)),
            incomplete: journal.incomplete.is_some(),
            nodes: count,
            of: selected_of(journal),
            counts,
            phases: phases.into_iter().map(|(_, phase)| phase).collect(),
            lane_of: lane_of.collect(),
            lanes,
            groups: groups.groups,
            failures: failures.failures,
            not_reached,
            ran: ran(journal),
            copies: copies(journal),
            waves: waves(journal),
            machines: machines(journal),
            notes: notes(journal),
        }
    }
}

/// Whether a node failed.
pub(crate) fn is_bad(state: State<'_>) -> bool {
    match state {
        State::Failing | State::NotCreated(_) | State::Copied(Some(_)) => true,
        State::Finished(result) => matches!(result, NodeResult::Failed { .. }),
        State::Ran(result) => result.exit != Some(0),
        _ => false,
    }
}

/// Of how many nodes those of an operation were selected.
fn selected_of(journal: &JournalFile) -> Option<usize> {
    journal.records.iter().find_map(|record| match &record.event {
        Event::Selected { of, .. } => Some(*of),
        _ => None,
    })
}

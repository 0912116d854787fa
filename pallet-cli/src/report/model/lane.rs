//! Lanes of the timeline: nodes for which the operation did the same.

use std::collections::HashMap;

use pallet_core::engine::NodeResult;

use super::work::{Mark, Span, State, Work};

/// The most lanes of nodes that did exactly the same. If there are more, a lane has nodes with the
/// same phases and the same result.
const LANES: usize = 100;

/// Nodes for which the operation did the same.
#[derive(Debug)]
pub(crate) struct Lane<'a> {
    pub(crate) group: Option<&'a str>,
    pub(crate) wave: Option<usize>,
    pub(crate) nodes: Vec<LaneNode<'a>>,
    /// The phases of all nodes: from the first node's beginning to the last node's end.
    pub(crate) spans: Vec<Span<'a>>,
    /// The same of a usual node: the median of the beginnings and of the ends.
    pub(crate) usual: Vec<(f64, f64)>,
    pub(crate) state: State<'a>,
    /// The failure, by its position among the failures.
    pub(crate) failure: Option<usize>,
    /// The plan of the first node: positions among the groups, with what the actions did.
    pub(crate) plan: Vec<(usize, Mark)>,
    /// The actions that run now, each with the nodes.
    pub(crate) current: Vec<(&'a str, Vec<&'a str>)>,
}

/// A node in a lane.
#[derive(Debug)]
pub(crate) struct LaneNode<'a> {
    pub(crate) name: &'a str,
    pub(crate) spans: Vec<Span<'a>>,
}

/// A node that has no lane yet.
pub(super) struct Unplaced<'a> {
    pub(super) work: Work<'a>,
    pub(super) plan: Vec<(usize, Mark)>,
    pub(super) failure: Option<usize>,
}

/// What the nodes of a lane have in common.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    group: Option<&'a str>,
    wave: Option<usize>,
    result: (&'static str, Option<i32>),
    phases: Vec<(&'a str, bool, bool)>,
    /// Only of nodes that did exactly the same.
    plan: Option<Vec<(usize, Mark)>>,
    failure: Option<usize>,
}

/// The lanes of nodes, in the order of each one's first node.
pub(super) fn lanes(nodes: Vec<Unplaced<'_>>) -> Vec<Lane<'_>> {
    let exact = count(&nodes, true) <= LANES;
    let mut positions = HashMap::new();
    let mut lanes: Vec<Lane<'_>> = Vec::new();
    for node in nodes {
        let next = lanes.len();
        let position = *positions.entry(key(&node, exact)).or_insert(next);
        let Unplaced { work, plan, failure } = node;
        if position == next {
            lanes.push(Lane {
                group: work.group,
                wave: work.wave,
                nodes: Vec::new(),
                spans: work.spans.clone(),
                usual: Vec::new(),
                state: work.state,
                failure,
                plan,
                current: Vec::new(),
            });
        }
        lanes[position].add(work);
    }
    lanes.iter_mut().for_each(Lane::measure);
    lanes
}

fn count(nodes: &[Unplaced<'_>], exact: bool) -> usize {
    let mut known = std::collections::HashSet::new();
    nodes.iter().filter(|node| known.insert(key(node, exact))).count()
}

fn key<'a>(node: &Unplaced<'a>, exact: bool) -> Key<'a> {
    let Work { group, wave, spans, state, .. } = &node.work;
    Key {
        group: *group,
        wave: *wave,
        result: (word(*state), exit(*state)),
        phases: spans.iter().map(|span| (span.phase, span.failed, span.open)).collect(),
        plan: exact.then(|| node.plan.clone()),
        failure: node.failure.filter(|_| exact),
    }
}

impl<'a> Lane<'a> {
    fn add(&mut self, work: Work<'a>) {
        if let (State::Running, Some(action)) = (work.state, work.current) {
            match self.current.iter_mut().find(|(known, _)| *known == action) {
                Some((_, nodes)) => nodes.push(work.node),
                None => self.current.push((action, vec![work.node])),
            }
        }
        self.nodes.push(LaneNode { name: work.node, spans: work.spans });
    }

    /// Measures the phases of all nodes, which have the same phases.
    fn measure(&mut self) {
        for (number, span) in self.spans.iter_mut().enumerate() {
            let of = |end: fn(&Span<'_>) -> f64| {
                let spans = self.nodes.iter().filter_map(|node| node.spans.get(number));
                let mut times: Vec<f64> = spans.map(end).collect();
                times.sort_by(f64::total_cmp);
                times
            };
            let (from, to) = (of(|span| span.from), of(|span| span.to));
            span.from = from.first().copied().unwrap_or_default();
            span.to = to.last().copied().unwrap_or_default();
            let middle = |times: &[f64]| times.get(times.len() / 2).copied().unwrap_or_default();
            self.usual.push((middle(&from), middle(&to)));
        }
    }

    /// The names of its nodes.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.nodes.iter().map(|node| node.name)
    }
}

/// How far an operation got with a node, in a word.
pub(crate) fn word(state: State<'_>) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Running => "running",
        State::Failing => "failed",
        State::Done => "done",
        State::Created => "created",
        State::NotCreated(_) => "not created",
        State::Destroyed => "destroyed",
        State::Finished(NodeResult::Unchanged) => "unchanged",
        State::Finished(NodeResult::Changed { .. }) => "changed",
        State::Finished(NodeResult::Failed { .. }) => "failed",
        State::Finished(NodeResult::NotReached { .. }) => "not reached",
        State::Ran(result) if result.exit.is_some() => "exit",
        State::Ran(_) | State::Copied(Some(_)) => "failed",
        State::Copied(None) => "copied",
    }
}

/// The exit code of a command.
pub(crate) fn exit(state: State<'_>) -> Option<i32> {
    match state {
        State::Ran(result) => result.exit,
        _ => None,
    }
}

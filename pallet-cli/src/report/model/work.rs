//! What the records of an operation tell of each node.

use std::collections::HashMap;
use std::time::SystemTime;

use pallet_core::engine::{
    Event, JournalFile, Kind, NodeError, NodeResult, PlannedChange, RunResult,
};

use super::tail::Tail;

/// The phases of operations that have none: names that a project's phases may have too.
const CREATE: &str = "create";
const DESTROY: &str = "destroy";
const RUN: &str = "run";
const COPY: &str = "copy";

/// What an operation did on a node.
#[derive(Debug, Default)]
pub(super) struct Work<'a> {
    pub(super) node: &'a str,
    pub(super) group: Option<&'a str>,
    pub(super) wave: Option<usize>,
    pub(super) spans: Vec<Span<'a>>,
    pub(super) steps: Vec<Step<'a>>,
    pub(super) state: State<'a>,
    /// The action that began and is not done: it runs, or failed.
    pub(super) current: Option<&'a str>,
}

/// A phase of a node, in seconds from the beginning of the operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Span<'a> {
    pub(crate) phase: &'a str,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) failed: bool,
    /// It runs.
    pub(crate) open: bool,
}

/// An action of a node's plan.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) change: &'a PlannedChange,
    pub(super) mark: Mark,
}

/// What an action did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Mark {
    Changed,
    Unchanged,
    Drift,
}

/// How far an operation got with a node.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum State<'a> {
    /// Nothing was told of it yet.
    #[default]
    Waiting,
    Running,
    /// A phase of it failed, and the operation has not told why yet.
    Failing,
    Done,
    Created,
    NotCreated(&'a str),
    Destroyed,
    Finished(&'a NodeResult),
    Ran(&'a RunResult),
    Copied(Option<&'a str>),
}

impl<'a> State<'a> {
    /// The error of a node that failed.
    pub(super) fn error(self) -> Option<&'a NodeError> {
        match self {
            State::Finished(NodeResult::Failed { error, .. }) => Some(error),
            _ => None,
        }
    }
}

/// What was told of all nodes.
#[derive(Default)]
pub(super) struct Gathered<'a> {
    pub(super) works: Vec<Work<'a>>,
    positions: HashMap<&'a str, usize>,
    kind: Option<Kind>,
    /// The output of each action, by node and phase, and then by action.
    pub(super) outputs: HashMap<(&'a str, &'a str), HashMap<&'a str, Tail<'a>>>,
    /// When the last record was written, in seconds from the beginning.
    pub(super) last: f64,
}

impl<'a> Gathered<'a> {
    /// Reads all records. What still runs lasts until `now`, if the operation runs.
    pub(super) fn of(journal: &'a JournalFile, now: Option<SystemTime>) -> Self {
        let mut gathered = Gathered::default();
        let began = began(journal);
        for record in &journal.records {
            let at = since(began, record.time);
            gathered.last = gathered.last.max(at);
            gathered.event(&record.event, at);
        }
        let now = now.map(|now| since(began, now).max(gathered.last));
        gathered.last = now.unwrap_or(gathered.last);
        gathered.works.iter_mut().for_each(|work| work.end(now));
        gathered
    }

    fn event(&mut self, event: &'a Event, at: f64) {
        match event {
            Event::Started { kind, nodes, .. } => {
                self.kind = Some(*kind);
                for node in nodes {
                    self.work(node);
                }
            }
            Event::Connected { node } => self.connected(node, at),
            Event::Creating { node, group, .. } => {
                self.work(node).grouped(group).begin(CREATE, at);
            }
            Event::Created { node, group, .. } => {
                let work = self.work(node).grouped(group);
                work.touch(CREATE, at);
                work.state = State::Created;
            }
            Event::NotCreated { node, group, error } => {
                let work = self.work(node).grouped(group);
                work.touch(CREATE, at);
                work.state = State::NotCreated(error);
            }
            Event::Destroying { node, group } => {
                self.work(node).grouped(group).begin(DESTROY, at);
            }
            Event::Destroyed { node, group, .. } => {
                let work = self.work(node).grouped(group);
                work.touch(DESTROY, at);
                work.state = State::Destroyed;
            }
            Event::WaveStarted { wave, nodes, .. } => {
                nodes.iter().for_each(|node| self.work(node).wave = Some(*wave));
            }
            Event::PhaseStarted { node, phase, .. } => self.work(node).begin(phase, at),
            Event::PhaseFinished { node, phase, ok, .. } => {
                if let Some(work) = self.touch(node, phase, at) {
                    work.ended(phase, *ok);
                }
            }
            Event::Applying { node, phase, on_behalf_of, .. } => {
                self.touch(on_behalf_of.as_ref().unwrap_or(node), phase, at);
            }
            Event::ActionStarted { node, phase, action } => {
                if let Some(work) = self.touch(node, phase, at) {
                    work.current = Some(action);
                }
            }
            Event::Action { change, changed } => {
                self.step(change, if *changed { Mark::Changed } else { Mark::Unchanged }, at);
            }
            Event::Drift(change) => self.step(change, Mark::Drift, at),
            Event::Output { node, phase, action, line } => {
                if let Some(work) = self.touch(node, phase, at) {
                    work.reached();
                }
                let of_phase = self.outputs.entry((node, phase)).or_default();
                of_phase.entry(action).or_default().push(line);
            }
            Event::Ran(result) => {
                let work = self.work(&result.node);
                work.group = result.group.as_deref();
                work.lasted(RUN, at, result.seconds, result.exit != Some(0));
                work.state = State::Ran(result);
            }
            Event::Copied(result) => {
                let work = self.work(&result.node);
                work.group = result.group.as_deref();
                work.lasted(COPY, at, result.seconds, result.error.is_some());
                work.state = State::Copied(result.error.as_deref());
            }
            Event::NodeDone { node, .. } => self.work(node).state = State::Done,
            Event::NodeFinished { node, group, result } => {
                let work = self.work(node).grouped(group);
                // what is gone needs nothing
                if !matches!((work.state, result), (State::Destroyed, NodeResult::Unchanged)) {
                    work.state = State::Finished(result);
                }
            }
            _ => {}
        }
    }

    fn connected(&mut self, node: &'a str, at: f64) {
        let kind = self.kind;
        let work = self.work(node);
        match kind {
            Some(Kind::Run) => work.begin(RUN, at),
            Some(Kind::Copy) => work.begin(COPY, at),
            _ => work.reached(),
        }
    }

    fn step(&mut self, change: &'a PlannedChange, mark: Mark, at: f64) {
        let owner = change.on_behalf_of.as_ref().unwrap_or(&change.node);
        if let Some(work) = self.touch(owner, &change.phase, at) {
            work.steps.push(Step { change, mark });
        }
        // it may have begun on another node
        if let Some(position) = self.positions.get(change.node.as_str()) {
            self.works[*position].current = None;
        }
    }

    /// The work of a node, which is new if nothing was told of it yet.
    fn work(&mut self, node: &'a str) -> &mut Work<'a> {
        let next = self.works.len();
        let position = *self.positions.entry(node).or_insert(next);
        if position == next {
            self.works.push(Work { node, ..Work::default() });
        }
        &mut self.works[position]
    }

    /// Something happened in a phase of a node. A node that only lends a hand has no phase.
    fn touch(&mut self, node: &'a str, phase: &str, at: f64) -> Option<&mut Work<'a>> {
        let work = &mut self.works[*self.positions.get(node)?];
        work.touch(phase, at);
        Some(work)
    }
}

impl<'a> Work<'a> {
    fn grouped(&mut self, group: &'a str) -> &mut Self {
        self.group = Some(group);
        self
    }

    fn reached(&mut self) {
        if matches!(self.state, State::Waiting) {
            self.state = State::Running;
        }
    }

    fn begin(&mut self, phase: &'a str, at: f64) {
        self.spans.push(Span { phase, from: at, to: at, failed: false, open: true });
        // what still runs on a node that failed does not heal it
        if !matches!(self.state, State::Failing) {
            self.state = State::Running;
        }
    }

    fn touch(&mut self, phase: &str, at: f64) {
        if let Some(span) = self.spans.iter_mut().rev().find(|span| span.phase == phase) {
            // a clock may have been put back
            span.to = span.to.max(at);
        }
    }

    fn ended(&mut self, phase: &str, ok: bool) {
        if let Some(span) = self.spans.iter_mut().rev().find(|span| span.phase == phase) {
            (span.open, span.failed) = (false, !ok);
        }
        if !ok {
            self.state = State::Failing;
        }
        self.current = None;
    }

    fn lasted(&mut self, phase: &'a str, to: f64, seconds: f64, failed: bool) {
        let from = (to - seconds).max(0.0);
        // it was seen to begin
        self.spans.retain(|span| span.phase != phase);
        self.spans.push(Span { phase, from, to, failed, open: false });
    }

    /// Marks the phase that failed, and the one that still runs.
    fn end(&mut self, now: Option<f64>) {
        if let Some(error) = self.state.error() {
            let is_it = |span: &&mut Span<'_>| {
                error.phase.as_deref().is_none_or(|phase| phase == span.phase)
            };
            if let Some(span) = self.spans.iter_mut().rev().find(is_it) {
                span.failed = true;
            }
        }
        let runs = matches!(self.state, State::Running);
        let Some(last) = self.spans.last_mut() else { return };
        last.failed |= matches!(self.state, State::NotCreated(_));
        let is_open = last.open && runs && now.is_some();
        self.spans.iter_mut().for_each(|span| span.open = false);
        if let (Some(last), Some(now), true) = (self.spans.last_mut(), now, is_open) {
            (last.open, last.to) = (true, now);
        }
    }
}

/// When an operation began.
pub(super) fn began(journal: &JournalFile) -> SystemTime {
    journal.records.first().map_or(SystemTime::UNIX_EPOCH, |record| record.time)
}

/// Seconds from one time to a later one; none if a clock was put back.
pub(super) fn since(began: SystemTime, time: SystemTime) -> f64 {
    time.duration_since(began).map(|passed| passed.as_secs_f64()).unwrap_or_default()
}

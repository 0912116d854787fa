//! An operation as a tree: nodes, their phases, and the actions of these, built from records.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use pallet_core::engine::{Event, Kind, NodeError, NodeResult, PlannedChange, Record, Totals};

/// Maximum number of actions that are kept, so that a large operation uses bounded memory.
const ACTIONS: usize = 100_000;

/// An operation that has begun.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// Its ID.
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) dry_run: bool,
    pub(super) time: Period,
    pub(super) totals: Option<Totals>,
    pub(super) nodes: BTreeMap<String, NodeTrace>,
    /// How many actions changed something.
    pub(super) changes: usize,
    /// How many actions are counted, but not kept.
    pub(super) left_out: usize,
    actions: usize,
}

/// When something began and ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) begin: SystemTime,
    pub(super) end: SystemTime,
}

/// What happened on a node.
#[derive(Debug, Clone)]
pub(super) struct NodeTrace {
    pub(super) group: String,
    pub(super) time: Period,
    pub(super) changed: bool,
    pub(super) error: Option<NodeError>,
    pub(super) phases: Vec<PhaseTrace>,
}

/// A phase on a node.
#[derive(Debug, Clone)]
pub(super) struct PhaseTrace {
    pub(super) phase: String,
    pub(super) time: Period,
    pub(super) error: Option<String>,
    pub(super) actions: Vec<ActionTrace>,
}

/// An action on a node.
#[derive(Debug, Clone)]
pub(super) struct ActionTrace {
    /// Its name and its subject.
    pub(super) action: String,
    pub(super) time: Period,
    pub(super) changed: bool,
    pub(super) error: Option<String>,
    running: bool,
}

impl Period {
    fn at(time: SystemTime) -> Self {
        Period { begin: time, end: time }
    }

    /// Its length in seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.end.duration_since(self.begin).unwrap_or_default().as_secs_f64()
    }
}

impl Trace {
    /// Adds a record. An operation exists from its `Started` on.
    pub(super) fn record(trace: &mut Option<Trace>, record: &Record) {
        match (&record.event, trace) {
            (Event::Started { kind, dry_run, .. }, trace @ None) => {
                *trace = Some(Trace {
                    id: record.operation.clone(),
                    kind: *kind,
                    dry_run: *dry_run,
                    time: Period::at(record.time),
                    totals: None,
                    nodes: BTreeMap::new(),
                    changes: 0,
                    left_out: 0,
                    actions: 0,
                });
            }
            (_, Some(trace)) if trace.id == record.operation => trace.add(record),
            _ => {}
        }
    }

    fn add(&mut self, record: &Record) {
        let time = record.time;
        self.time.end = time;
        match &record.event {
            Event::Connected { node } => {
                self.node(node, time);
            }
            Event::PhaseStarted { node, phase, .. } => {
                self.phase(node, phase, time);
            }
            Event::ActionStarted { node, phase, action } if self.has_room() => {
                let action = ActionTrace::at(action.clone(), time, false, true);
                self.phase(node, phase, time).actions.push(action);
            }
            Event::Planned(change) => self.done(change, time, true),
            Event::Action { change, changed } => self.done(change, time, *changed),
            Event::NodeFinished { node, group, result } => {
                let node = self.node(node, time);
                node.group.clone_from(group);
                match result {
                    NodeResult::Changed { .. } => node.changed = true,
                    NodeResult::Failed { error, changes } => {
                        node.changed = *changes > 0;
                        node.fail(error, time);
                    }
                    NodeResult::Unchanged => {}
                    NodeResult::NotReached { reason } => {
                        node.error = Some(NodeError::new(format!("not reached: {reason}")));
                    }
                }
            }
            Event::Ran(ran) => {
                let error = match (&ran.error, ran.exit) {
                    (Some(error), _) => Some(error.clone()),
                    (None, Some(code)) if code != 0 => Some(format!("exit {code}")),
                    _ => None,
                };
                self.once(&ran.node, ran.group.as_deref(), ran.seconds, error, time);
            }
            Event::Copied(copied) => {
                let error = copied.error.clone();
                self.once(&copied.node, copied.group.as_deref(), copied.seconds, error, time);
            }
            Event::Finished { totals, .. } => self.totals = Some(*totals),
            _ => {}
        }
    }

    /// A command or a copy: all that happens on a node.
    fn once(
        &mut self,
        name: &str,
        group: Option<&str>,
        seconds: f64,
        error: Option<String>,
        time: SystemTime,
    ) {
        let node = self.node(name, time);
        node.group = group.unwrap_or_default().to_owned();
        let taken = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        node.time.begin = time.checked_sub(taken).unwrap_or(time);
        node.error = error.map(NodeError::new);
    }

    fn done(&mut self, change: &PlannedChange, time: SystemTime, changed: bool) {
        self.changes += usize::from(changed);
        let name = format!("{} {}", change.action, change.subject);
        let has_room = self.actions < ACTIONS;
        let phase = self.phase(&change.node, &change.phase, time);
        phase.time.end = time;
        let running =
            phase.actions.iter_mut().rev().find(|known| known.running && known.action == name);
        match running {
            Some(action) => {
                (action.time.end, action.changed, action.running) = (time, changed, false);
            }
            None if has_room => {
                phase.actions.push(ActionTrace::at(name, time, changed, false));
                self.actions += 1;
            }
            None => self.left_out += 1,
        }
    }

    fn has_room(&mut self) -> bool {
        let room = self.actions < ACTIONS;
        match room {
            true => self.actions += 1,
            false => self.left_out += 1,
        }
        room
    }

    fn node(&mut self, name: &str, time: SystemTime) -> &mut NodeTrace {
        let node = self.nodes.entry(name.to_owned()).or_insert_with(|| NodeTrace {
            group: String::new(),
            time: Period::at(time),
            changed: false,
            error: None,
            phases: Vec::new(),
        });
        node.time.end = time;
        node
    }

    fn phase(&mut self, node: &str, phase: &str, time: SystemTime) -> &mut PhaseTrace {
        let phases = &mut self.node(node, time).phases;
        let known = phases.iter().position(|known| known.phase == phase);
        let index = known.unwrap_or_else(|| {
            phases.push(PhaseTrace {
                phase: phase.to_owned(),
                time: Period::at(time),
                error: None,
                actions: Vec::new(),
            });
            phases.len() - 1
        });
        &mut phases[index]
    }
}

impl NodeTrace {
    fn fail(&mut self, error: &NodeError, time: SystemTime) {
        self.error = Some(error.clone());
        let failed =
            self.phases.iter_mut().find(|phase| Some(&phase.phase) == error.phase.as_ref());
        if let Some(phase) = failed {
            phase.error = Some(error.message.clone());
            phase.time.end = time;
            if let Some(action) = phase.actions.iter_mut().rev().find(|action| action.running) {
                (action.error, action.time.end) = (Some(error.message.clone()), time);
            }
        }
    }
}

impl ActionTrace {
    fn at(action: String, time: SystemTime, changed: bool, running: bool) -> Self {
        ActionTrace { action, time: Period::at(time), changed, error: None, running }
    }
}

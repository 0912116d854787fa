//! What is known of an operation, from its events.

use std::collections::BTreeMap;
use std::time::Instant;

use indicatif::ProgressBar;
use pallet_core::engine::{CopyResult, Event, NodeResult, RunResult, natural};

use crate::terminal::{beginning, visible};

/// What is known of an operation.
#[derive(Debug)]
pub(super) struct State {
    pub(super) rows: Vec<ProgressBar>,
    pub(super) began: Instant,
    pub(super) nodes: BTreeMap<(String, u64), Node>,
    pub(super) connected: usize,
    pub(super) phases: Vec<Phase>,
    pub(super) wave: Option<(usize, usize)>,
    /// When the first phase began.
    pub(super) phases_began: Option<Instant>,
}

#[derive(Debug, Default)]
pub(super) struct Phase {
    pub(super) name: String,
    /// How many nodes have actions in it.
    pub(super) nodes: usize,
    pub(super) finished: usize,
    pub(super) changed: usize,
    pub(super) failed: usize,
}

/// What a node does.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    /// The phase that runs, and since when.
    pub(super) phase: Option<(usize, Instant)>,
    pub(super) actions: usize,
    pub(super) done: usize,
    /// What it is doing.
    pub(super) now: String,
    pub(super) ended: bool,
    pub(super) failed: bool,
    /// For each phase what is to be shown.
    pub(super) cells: BTreeMap<usize, &'static str>,
}

impl State {
    pub(super) fn new(nodes: &[String], now: Instant) -> Self {
        let named = |name: &String| (natural(name), Node { name: name.clone(), ..Node::default() });
        State {
            rows: Vec::new(),
            began: now,
            nodes: nodes.iter().map(named).collect(),
            connected: 0,
            phases: Vec::new(),
            wave: None,
            phases_began: None,
        }
    }

    fn node(&mut self, name: &str) -> &mut Node {
        self.nodes
            .entry(natural(name))
            .or_insert_with(|| Node { name: name.to_owned(), ..Node::default() })
    }

    fn phase(&mut self, name: &str) -> usize {
        if let Some(at) = self.phases.iter().position(|phase| phase.name == name) {
            return at;
        }
        self.phases.push(Phase { name: name.to_owned(), ..Phase::default() });
        self.phases.len() - 1
    }

    pub(super) fn take(&mut self, event: &Event, now: Instant) {
        match event {
            Event::Connected { node } => {
                self.connected += 1;
                "connected".clone_into(&mut self.node(node).now);
            }
            Event::Creating { node, .. } => "being created".clone_into(&mut self.node(node).now),
            Event::Created { node, .. } => "starting".clone_into(&mut self.node(node).now),
            Event::Destroying { node, .. } => {
                "being destroyed".clone_into(&mut self.node(node).now);
            }
            Event::NotCreated { node, .. } | Event::Destroyed { node, .. } => {
                let (failed, node) = (matches!(event, Event::NotCreated { .. }), self.node(node));
                (node.ended, node.failed) = (true, failed);
                node.now.clear();
            }
            Event::Phases { phases } => {
                for phase in phases {
                    let at = self.phase(&phase.phase);
                    self.phases[at].nodes += phase.nodes;
                }
                self.phases_began.get_or_insert(now);
            }
            Event::PhaseStarted { node, phase, actions } => {
                let at = self.phase(phase);
                let node = self.node(node);
                (node.phase, node.actions, node.done) = (Some((at, now)), *actions, 0);
                node.now.clear();
                node.cells.insert(at, "running");
            }
            Event::PhaseFinished { node, phase, changes, ok } => {
                let at = self.phase(phase);
                let (changed, failed) = (usize::from(*changes > 0), usize::from(!*ok));
                let phase = &mut self.phases[at];
                phase.finished += 1;
                phase.changed += changed;
                phase.failed += failed;
                phase.nodes = phase.nodes.max(phase.finished);
                let node = self.node(node);
                node.phase = None;
                node.failed |= !*ok;
                node.now.clear();
                let cell = match (ok, changes) {
                    (false, _) => "failed",
                    (true, 0) => "unchanged",
                    (true, _) => "changed",
                };
                node.cells.insert(at, cell);
            }
            Event::ActionStarted { node, action, .. } => {
                self.node(node).now = visible(action).into_owned();
            }
            Event::Action { change, .. } => self.node(&change.node).done += 1,
            Event::Output { node, action, line, .. } => {
                self.node(node).now = format!("{}: {}", visible(action), beginning(line));
            }
            Event::NodeFinished { node, result, .. } => {
                let failed = matches!(result, NodeResult::Failed { .. });
                let node = self.node(node);
                node.ended = true;
                node.failed |= failed;
            }
            Event::Ran(RunResult { node, exit, .. }) => {
                let (failed, node) = (*exit != Some(0), self.node(node));
                (node.ended, node.failed) = (true, failed);
                node.now.clear();
            }
            Event::Copied(CopyResult { node, error, .. }) => {
                let (failed, node) = (error.is_some(), self.node(node));
                (node.ended, node.failed) = (true, failed);
                node.now.clear();
            }
            Event::WaveStarted { wave, waves, .. } => self.wave = Some((*wave, *waves)),
            _ => {}
        }
    }
}

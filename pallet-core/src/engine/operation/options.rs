//! Options for configuring nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::tags::Tags;
use crate::engine::{GroupSpec, Only, Phase, Rollout, Selection, Share, Waves};

/// Options of a lift.
#[derive(Debug, Clone)]
pub struct LiftOptions {
    /// The phases to run, in order; if empty, each group's default phases.
    pub phases: Vec<PhaseChoice>,
    /// Only show what would change.
    pub dry_run: bool,
    /// The maximum number of nodes configured in parallel.
    pub parallel: usize,
    /// Overwrite changes made by hand since Pallet wrote something, instead of keeping them.
    pub overwrite_changes: bool,
    /// Change nothing, and only report drift.
    pub drift_only: bool,
    /// The nodes of the groups to configure, or to destroy in a down. A converge also configures
    /// new nodes.
    pub selection: Selection,
    /// The actions of the phases to plan, and to apply; those of `settings`, `bootstrap`, `drain`,
    /// `undrain` and health checks are always meant.
    pub tags: Tags,
    /// Overrides what the groups declare about waves and failures.
    pub rollout: RolloutOptions,
    /// What may happen to nodes. A lift ignores it.
    pub node_changes: NodeChanges,
    /// The interrupted operation that this one resumes.
    pub resume: Option<Arc<Resume>>,
}

/// What may happen to nodes, beyond creating and destroying as many as the counts ask for.
#[derive(Debug, Clone, Default)]
pub struct NodeChanges {
    /// The names or IDs of nodes to make anew.
    pub replace: Vec<String>,
    /// Make all nodes anew that are not what their node-spec now says.
    pub replace_outdated: bool,
    /// The names of groups whose nodes may be destroyed although they are protected.
    pub unprotect: Vec<String>,
}

impl LiftOptions {
    /// These options without the nodes to replace that an interrupted operation replaced.
    pub(in crate::engine) fn without_replaced(&self) -> Self {
        let mut options = self.clone();
        if let Some(resume) = &self.resume {
            options.node_changes.replace.retain(|node| !resume.destroyed.contains(node));
        }
        options
    }
}

/// Overrides what the groups of an operation declare about waves and failures.
#[derive(Debug, Clone, Default)]
pub struct RolloutOptions {
    /// The waves of each group.
    pub waves: Option<Waves>,
    /// How many nodes of each group may fail before nothing new begins.
    pub max_failures: Option<Share>,
    /// Asked before each wave but the first.
    pub confirm: Option<ConfirmWave>,
}

impl RolloutOptions {
    /// The rollout of a group with these overrides.
    pub(in crate::engine) fn of(&self, group: &GroupSpec) -> Rollout {
        let own = group.server.rollout.clone().unwrap_or_default();
        Rollout {
            waves: self.waves.clone().or(own.waves),
            max_failures: self.max_failures.or(own.max_failures),
            ..own
        }
    }
}

/// The wave that is about to begin.
#[derive(Debug, Clone)]
pub struct NextWave {
    /// Its number, from 1.
    pub wave: usize,
    /// How many waves there are.
    pub waves: usize,
    /// The names of its nodes.
    pub nodes: Vec<String>,
    /// How many nodes have failed so far.
    pub failed: usize,
}

/// Asks whether a wave may begin. It may block.
#[derive(Clone)]
pub struct ConfirmWave(Arc<AskWave>);

/// Is given the wave, and a function that says whether to stop waiting for an answer.
type AskWave = dyn Fn(&NextWave, &dyn Fn() -> bool) -> bool + Send + Sync;

impl ConfirmWave {
    /// Asks this function. Its second argument says whether the operation is being stopped, so that
    /// nobody waits for an answer any more.
    pub fn new(ask: impl Fn(&NextWave, &dyn Fn() -> bool) -> bool + Send + Sync + 'static) -> Self {
        ConfirmWave(Arc::new(ask))
    }

    pub(super) fn ask(&self, next: &NextWave, stop: &dyn Fn() -> bool) -> bool {
        (self.0)(next, stop)
    }
}

impl fmt::Debug for ConfirmWave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConfirmWave")
    }
}

/// What an interrupted operation did, for the one that resumes it.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// Its ID.
    pub operation: String,
    /// The nodes that it finished, by ID, and where each was, if that is known.
    pub done: BTreeMap<String, Option<String>>,
    /// The nodes that it began to change, by ID, each with the actions that changed something.
    pub actions: BTreeMap<String, Vec<DoneAction>>,
    /// The names of the nodes that it was for.
    pub nodes: BTreeSet<String>,
    /// The IDs of the nodes that ran what must run only once.
    pub first: BTreeSet<String>,
    /// The names and IDs of the nodes that it destroyed, and perhaps created anew.
    pub destroyed: BTreeSet<String>,
    /// The local files that its actions used, each with a digest of its content.
    pub files: BTreeMap<String, String>,
    /// Resume even if these files have changed.
    pub anyway: bool,
}

impl Resume {
    /// The nodes that the interrupted operation was for, and those that it made.
    pub fn selected(&self) -> Only {
        let what = format!("was selected by operation {}", self.operation);
        Only { names: self.nodes.clone(), what }
    }
}

/// An action that changed something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DoneAction {
    /// The phase.
    pub phase: String,
    /// Its position in the phase, from 1.
    pub number: usize,
    /// The action's name: `remote_file`.
    pub action: String,
    /// Its subject: `/etc/motd`.
    pub subject: String,
}

/// A phase to run.
#[derive(Debug, Clone)]
pub enum PhaseChoice {
    /// The phase with this name, on nodes whose group has it.
    Named(String),
    /// This phase, on every node.
    Inline(Phase),
}

impl Default for LiftOptions {
    fn default() -> Self {
        LiftOptions {
            phases: Vec::new(),
            dry_run: false,
            parallel: 50,
            overwrite_changes: false,
            drift_only: false,
            selection: Selection::default(),
            tags: Tags::default(),
            rollout: RolloutOptions::default(),
            node_changes: NodeChanges::default(),
            resume: None,
        }
    }
}

/// What an operation does with its plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Mode {
    /// Apply them.
    Apply,
    /// Show them.
    DryRun,
    /// Show only the changes that undo drift.
    DriftOnly,
}

impl Mode {
    pub(super) fn of(options: &LiftOptions) -> Self {
        match (options.drift_only, options.dry_run) {
            (true, _) => Mode::DriftOnly,
            (false, true) => Mode::DryRun,
            (false, false) => Mode::Apply,
        }
    }
}

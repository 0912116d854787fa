//! Options for configuring nodes.

use crate::engine::Phase;

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
    /// Lift only these nodes of the groups, by name or ID; if empty, all of them. A converge
    /// ignores it.
    pub nodes: Vec<String>,
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
            nodes: Vec::new(),
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

//! How to configure nodes.

use crate::engine::Phase;

/// How to lift.
#[derive(Debug, Clone)]
pub struct LiftOptions {
    /// The phases to run, in order; none: each group's default phases.
    pub phases: Vec<PhaseChoice>,
    /// Only show what would change.
    pub dry_run: bool,
    /// The maximum number of nodes configured in parallel.
    pub parallel: usize,
    /// Replace what was changed by hand since Pallet wrote it, instead of keeping it.
    pub overwrite_changes: bool,
    /// Change nothing, and only report drift.
    pub drift_only: bool,
    /// Lift only these nodes of the groups, by name or id; none: all of them. A converge ignores
    /// it.
    pub nodes: Vec<String>,
}

/// A phase to run.
#[derive(Debug, Clone)]
pub enum PhaseChoice {
    /// The phase of this name, on nodes whose group has it.
    Named(String),
    /// This one, on every node.
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

/// What an operation does with what it plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Mode {
    /// Make the changes.
    Apply,
    /// Show them.
    DryRun,
    /// Show only those that undo what was changed since Pallet applied it.
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

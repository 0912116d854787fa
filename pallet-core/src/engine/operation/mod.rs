//! An operation as data: its options, its nodes, the schedule, its events and its outcome.

mod budget;
mod copy_outcome;
mod delegates;
mod display;
mod division;
mod done_before;
mod drain;
mod event;
mod grouped;
mod kind;
mod limits;
mod member;
mod options;
mod outcome;
mod phase;
mod phases;
mod prepare;
mod record;
mod resume;
mod roles;
mod run;
mod run_outcome;
mod schedule;
mod subjects;
mod tags;
mod turns;
mod waves;

pub use copy_outcome::{Copied, CopyOutcome, CopyResult};
pub use display::Failures;
pub use event::{Event, PhaseNodes, PlannedChange};
pub use kind::Kind;
pub use options::{
    ConfirmWave, DoneAction, LiftOptions, NextWave, NodeChanges, PhaseChoice, Resume,
    RolloutOptions,
};
pub use outcome::{NodeError, NodeOutcome, NodeResult, Outcome, Totals};
pub use record::{Record, Sink};
pub use run_outcome::{RunOutcome, RunResult};
pub use tags::Tags;

pub(super) use budget::too_many;
pub(super) use division::{Division, GroupedNode, check_counts, with_groups};
pub(super) use member::{Member, error_of};
pub(super) use outcome::Summary;
pub(super) use record::Recorder;
pub(super) use run::{Operation, Purpose};
pub(super) use schedule::in_parallel;

#[cfg(test)]
mod tests;

//! One node: its session, its known state, planning and applying.

mod apply;
mod ask;
mod compile;
mod frames;
mod hold;
mod phase_plan;
mod planner;
mod reboot;
mod session;
mod why;

pub use phase_plan::{PhasePlan, PlannedAction};
pub use session::BOOTSTRAPPED_TAG;

pub(super) use apply::{IGNORED, RESCUED, apply};
pub(super) use ask::AskError;
pub(super) use compile::{Compiled, cleaning, compile};
pub(super) use hold::{Held, Hold};
pub(super) use phase_plan::{PlanContext, plan_phase};
pub(super) use planner::Planner;
pub(super) use session::{Gathered, Session};

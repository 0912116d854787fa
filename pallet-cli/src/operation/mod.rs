//! An operation from the user's point of view: progress, outcome and exit code.

mod check;
mod drive;
mod junit;
mod newest;
mod nodes;
mod reporter;
mod resume;
mod runtime;
mod selection;
mod waves;

pub(crate) use check::check;
pub(crate) use drive::{Ending, ask, drive, run};
pub(crate) use junit::JunitFile;
pub(crate) use nodes::selection;
pub(crate) use reporter::Reporter;
pub(crate) use resume::resume;
pub(crate) use runtime::{code, exit_code, runtime};
pub(crate) use selection::{groups, lift_options, phases};
pub(crate) use waves::confirm_waves;

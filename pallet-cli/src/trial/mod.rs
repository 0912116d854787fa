//! Tries the scenarios of a crate on fresh nodes, and checks that what they do keeps the laws.

mod laws;
mod run;
mod scenario;

pub(crate) use run::{Verdict, try_scenario};
pub(crate) use scenario::{Scenario, link_library, scenarios};

//! An operation as its page shows it, from the records of its journal: equal nodes, changes and
//! failures are together.

mod alike;
mod failure;
mod group;
mod lane;
mod note;
mod report;
mod result;
mod tail;
#[cfg(test)]
mod tests;
mod work;

pub(super) use alike::NODE;
pub(super) use failure::Failure;
pub(super) use group::{Group, Variants};
pub(super) use lane::{Lane, exit, word};
pub(super) use report::{Report, is_bad};
pub(super) use result::{Copies, Ran};
pub(super) use tail::Tail;
pub(super) use work::{Mark, Span, State};

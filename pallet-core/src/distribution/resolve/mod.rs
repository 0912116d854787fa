//! Which version of each plugin: one of each, the highest that everything agrees on.
//!
//! A pure function of what is known. Where something must be known that is not, it asks, and is
//! called again with the answer.

mod answer;
mod conflict;
mod known;
mod package;
mod search;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Question};
pub use conflict::{Chain, Conflict};
pub use known::{Candidate, Known, Root};
pub use package::Package;
pub use search::resolve;

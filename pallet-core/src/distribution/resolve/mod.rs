//! Chooses one version of each plugin: the highest that satisfies all requirements.
//!
//! A pure function. If information is missing, it returns a question, and the caller calls it again
//! with the answer.

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

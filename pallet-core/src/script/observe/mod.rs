//! The observing script: asks all that an [`Observation`](crate::model::Observation) wants in one
//! go, and reads the answer.
//!
//! The script knows nothing of the node beforehand: it finds out which system it runs on, and asks
//! that system in its own words. Each answer is framed by a token that nothing else on the node can
//! know, so output of login scripts and the like is never taken for one:
//!
//! ```text
//! TOKEN< TOKEN kind TOKEN field TOKEN field TOKEN TOKEN> TOKEN
//! ```
//!
//! Answers name what they are about by the very path or name, never by position, so that a file
//! that vanishes meanwhile cannot be taken for another.

mod answer;
mod compile;
mod observed;
mod packages;
mod parse;
mod services;
mod simulated;
#[cfg(test)]
mod tests;
mod users;

pub use compile::compile;
pub use observed::{ObserveError, Observed};
pub use parse::parse;

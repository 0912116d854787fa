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

mod compile;
mod packages;
mod parse;
mod services;
mod simulated;
#[cfg(test)]
mod tests;
mod users;

pub use compile::compile;
pub use parse::parse;

use thiserror::Error;

use crate::model::{Facts, NodeState};

/// What the observing script found.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The node itself.
    pub facts: Facts,
    /// What was asked of it.
    pub state: NodeState,
    /// There are temporary entries of a run: of one that goes on, or of one that was killed.
    pub leftovers: bool,
}

/// An answer that cannot be read.
#[derive(Debug, Clone, Error, PartialEq)]
pub enum ObserveError {
    /// The script ended before it was done.
    #[error("the observing script did not finish; the last it said was {last:?}")]
    Incomplete {
        /// The end of its output.
        last: String,
    },
    /// The script gave an answer that this Pallet does not understand.
    #[error("cannot read the observing script's answer {answer:?}")]
    Malformed {
        /// The answer, without its frame.
        answer: String,
    },
}

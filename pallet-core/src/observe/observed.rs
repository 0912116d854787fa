//! What an observation of a node found.

use thiserror::Error;

use super::NodeState;
use crate::model::Facts;

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

//! The result of observing a node.

use thiserror::Error;

use super::NodeState;
use crate::model::Facts;

/// The result of the observing script.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The node's facts.
    pub facts: Facts,
    /// The answers.
    pub state: NodeState,
    /// The node has temporary entries of a run that goes on or was killed.
    pub leftovers: bool,
}

/// Why an answer cannot be read.
#[derive(Debug, Clone, Error, PartialEq)]
pub enum ObserveError {
    /// The script ended early.
    #[error("the observing script did not finish; the last it said was {last:?}")]
    Incomplete {
        /// The end of its output.
        last: String,
    },
    /// An answer that this Pallet does not understand.
    #[error("cannot read the observing script's answer {answer:?}")]
    Malformed {
        /// The answer, without its frame.
        answer: String,
    },
}

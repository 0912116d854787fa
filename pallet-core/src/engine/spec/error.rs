//! What is wrong with a declaration.

use thiserror::Error;

/// A declaration that contradicts itself.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SpecError {
    /// Two specs want their default phases in contrary orders.
    #[error(
        "the default phases {first:?} and {second:?} cannot be brought into one order; give \
        `default_phases` here"
    )]
    Order {
        /// The order so far.
        first: Vec<String>,
        /// The order that contradicts it.
        second: Vec<String>,
    },
    /// A name that no host can have.
    #[error("{name:?} cannot name a group: use 1 to 50 of a-z, 0-9 and -, not at the ends")]
    Name {
        /// The name.
        name: String,
    },
    /// A tag that is Pallet's own.
    #[error(
        "node-spec: tag {tag:?} is no name for a tag of yours; names that begin with pallet- \
        or pallet. are Pallet's own"
    )]
    Tag {
        /// The tag.
        tag: String,
    },
}

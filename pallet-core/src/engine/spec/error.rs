//! Errors in declarations.

use thiserror::Error;

/// A declaration that is invalid or contradicts itself.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum SpecError {
    /// Two specs list their default phases in conflicting orders.
    #[error(
        "the default phases {first:?} and {second:?} are in conflicting orders; give \
        `default_phases` here"
    )]
    Order {
        /// The order so far.
        first: Vec<String>,
        /// The order that conflicts with it.
        second: Vec<String>,
    },
    /// A name that is not a valid host name.
    #[error("{name:?} cannot name a group: use 1 to 50 of a-z, 0-9 and -, not at the ends")]
    Name {
        /// The name.
        name: String,
    },
    /// A group that takes its nodes out of service but not back, or the other way round.
    #[error("group {group} has the phase {has} and not {lacks}; declare both")]
    HalfDrained {
        /// The group.
        group: String,
        /// The phase that it has.
        has: &'static str,
        /// The phase that it lacks.
        lacks: &'static str,
    },
    /// A group with fewer nodes than it must have.
    #[error("group {group}: its count {count} is below its min_count {min_count}")]
    MinCount {
        /// The group.
        group: String,
        /// How many nodes it wants.
        count: u32,
        /// How many it must have.
        min_count: u32,
    },
    /// A tag that is reserved for Pallet.
    #[error(
        "node-spec: tag {tag:?} is reserved: names that begin with pallet- or pallet. \
        are Pallet's own"
    )]
    Tag {
        /// The tag.
        tag: String,
    },
}

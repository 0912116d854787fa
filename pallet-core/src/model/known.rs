//! A value that is known, or not yet.

use serde::{Deserialize, Serialize};

/// What is known of one thing on a node.
///
/// `Unknown` is a thing that was never observed, or that a change before it may have touched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// The value is this.
    Known(T),
    /// The value can only be known on the node, when the changes before it have been made.
    Unknown,
}

impl<T> Known<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Known::Known(value) => Some(value),
            Known::Unknown => None,
        }
    }

    /// The same, borrowed.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Known::Known(value) => Known::Known(value),
            Known::Unknown => Known::Unknown,
        }
    }
}

impl<T: Clone> Known<&T> {
    /// The same, owned.
    pub fn cloned(self) -> Known<T> {
        match self {
            Known::Known(value) => Known::Known(value.clone()),
            Known::Unknown => Known::Unknown,
        }
    }
}

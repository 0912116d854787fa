//! A value that may not be known yet.

use serde::{Deserialize, Serialize};

/// A value on a node, if it is known.
///
/// It is `Unknown` if it was never observed, or if an earlier change may have affected it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// The value.
    Known(T),
    /// Only the node will know the value, once the earlier changes are made.
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

    /// Borrows the value.
    pub fn as_ref(&self) -> Known<&T> {
        match self {
            Known::Known(value) => Known::Known(value),
            Known::Unknown => Known::Unknown,
        }
    }
}

impl<T: Clone> Known<&T> {
    /// Clones the value.
    pub fn cloned(self) -> Known<T> {
        match self {
            Known::Known(value) => Known::Known(value.clone()),
            Known::Unknown => Known::Unknown,
        }
    }
}

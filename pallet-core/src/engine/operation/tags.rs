//! Tags: which actions of the phases an operation is for.

use std::collections::BTreeSet;

use crate::action::Declared;
use crate::engine::EngineError;
use crate::engine::selection::no_such_name;

/// Which actions an operation is for: all, unless something is said. Each action has the tags that
/// it was given, and the names of the crates and of the crate functions that declared it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    /// Only actions with one of these tags.
    pub only: Vec<String>,
    /// No actions with one of these tags.
    pub skip: Vec<String>,
}

impl Tags {
    /// Whether all actions are meant.
    pub fn is_all(&self) -> bool {
        self.only.is_empty() && self.skip.is_empty()
    }

    pub(super) fn keep(&self, declared: &Declared) -> bool {
        let has = |tag: &String| declared.tags.contains(tag);
        (self.only.is_empty() || self.only.iter().any(has)) && !self.skip.iter().any(has)
    }

    /// Refuses a tag that no action has.
    pub(super) fn check(&self, known: &BTreeSet<String>) -> Result<(), EngineError> {
        let unknown = self.only.iter().chain(&self.skip).find(|tag| !known.contains(*tag));
        match unknown {
            Some(tag) => Err(no_such_name("tag", tag, known.iter().map(String::as_str))),
            None => Ok(()),
        }
    }
}

//! The flags of one node in an operation: which are set, and which of the actions that wait for
//! them had their turn since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::{Certainty, Declared};
use crate::model::digest;
#[cfg(feature = "host")]
use crate::script::flag_file;

/// The flags of one node so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    set: BTreeMap<String, Certainty>,
    /// The waiting actions that had their turn, and whether their flag may have been set since.
    had: BTreeMap<Waiting, bool>,
}

/// An action that waits for a flag. Of two identical ones, the second has nothing to do unless the
/// flag was set again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Waiting {
    flag: String,
    /// A digest of what it does, and when.
    id: String,
}

/// What one action did about flags when it was applied.
#[cfg(feature = "host")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FlagTurn {
    /// It had its turn, for which it waited.
    Had(Waiting),
    /// It set a flag.
    Set(String),
    /// It could have set a flag, and changed nothing.
    NotSet(String),
}

impl Waiting {
    /// The action, if it waits for a flag.
    pub(crate) fn of(declared: &Declared) -> Option<Waiting> {
        let flag = declared.options.if_flag.clone()?;
        // tags choose actions, and say nothing of what one does
        let options = super::super::Options { tags: Vec::new(), ..declared.options.clone() };
        let conditions: Vec<(&str, bool)> = declared
            .conditions
            .iter()
            .map(|condition| (condition.command.as_str(), condition.unless))
            .collect();
        let same = format!("{:?}\n{options:?}\n{conditions:?}", declared.action);
        let id = digest(same.as_bytes()).chars().take(16).collect();
        Some(Waiting { flag, id })
    }

    /// Its flag.
    pub(crate) fn flag(&self) -> &str {
        &self.flag
    }

    /// A name for a file.
    #[cfg(feature = "host")]
    pub(crate) fn file(&self) -> String {
        format!("{}.{}", flag_file(&self.flag), self.id)
    }
}

impl Flags {
    /// No flag is set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a flag is set; `None`: it is not.
    pub fn get(&self, flag: &str) -> Option<Certainty> {
        self.set.get(flag).copied()
    }

    /// The flags that are or may be set.
    #[cfg(feature = "host")]
    pub(crate) fn all(&self) -> &BTreeMap<String, Certainty> {
        &self.set
    }

    /// The waiting actions that surely had their turn since their flag was set.
    #[cfg(feature = "host")]
    pub(crate) fn served(&self) -> Vec<Waiting> {
        let sure = self.had.iter().filter(|(_, again)| !**again);
        sure.map(|(waiting, _)| waiting.clone()).collect()
    }

    /// An action sets a flag, or may do so.
    pub(crate) fn set(&mut self, flag: &str, certainty: Certainty) {
        let sure = certainty == Certainty::Will;
        let so_far = self.set.entry(flag.to_owned()).or_insert(certainty);
        if sure {
            *so_far = Certainty::Will;
            self.had.retain(|waiting, _| waiting.flag != flag);
        }
        let waiting = self.had.iter_mut().filter(|(waiting, _)| waiting.flag == flag);
        waiting.for_each(|(_, again)| *again = true);
    }

    /// Whether the flag of an action was set since its last turn; `None`: it was not.
    pub(super) fn call(&self, waiting: &Waiting) -> Option<Certainty> {
        let set = self.get(&waiting.flag)?;
        match self.had.get(waiting) {
            None => Some(set),
            Some(true) => Some(Certainty::May),
            Some(false) => None,
        }
    }

    /// An action has its turn; not `sure`: it may be skipped for another reason, or fail.
    pub(crate) fn had_turn(&mut self, waiting: Waiting, sure: bool) {
        self.had.insert(waiting, !sure);
    }

    /// Keeps only what is so in both.
    pub(super) fn keep_what_agrees(&mut self, other: &Flags) {
        let all: BTreeSet<Waiting> = self.had.keys().chain(other.had.keys()).cloned().collect();
        let calls: Vec<_> = all
            .into_iter()
            .map(|waiting| (self.call(&waiting), other.call(&waiting), waiting))
            .collect();
        for (flag, certainty) in &mut self.set {
            if other.set.get(flag) != Some(&Certainty::Will) {
                *certainty = Certainty::May;
            }
        }
        for flag in other.set.keys() {
            self.set.entry(flag.clone()).or_insert(Certainty::May);
        }
        for (mine, others, waiting) in calls {
            match (mine, others) {
                (Some(Certainty::Will), Some(Certainty::Will)) => drop(self.had.remove(&waiting)),
                (None, None) => drop(self.had.insert(waiting, false)),
                _ => drop(self.had.insert(waiting, true)),
            }
        }
    }

    /// Brings what was predicted to what happened; `served` had their turn before.
    #[cfg(feature = "host")]
    pub(crate) fn happened(&mut self, served: &[Waiting], turns: &[FlagTurn]) {
        self.had = served.iter().map(|waiting| (waiting.clone(), false)).collect();
        for turn in turns {
            match turn {
                FlagTurn::Had(waiting) => self.had_turn(waiting.clone(), true),
                FlagTurn::Set(flag) => self.set(flag, Certainty::Will),
                // a flag that was uncertain is known now
                FlagTurn::NotSet(flag) if self.get(flag) == Some(Certainty::May) => {
                    self.set.remove(flag);
                }
                FlagTurn::NotSet(_) => {}
            }
        }
    }
}

//! What Pallet reads from every node first.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Detail, Details, Machine, Os};

/// The facts of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Its operating system.
    pub os: Os,
    /// What it is.
    #[serde(default)]
    pub machine: Machine,
    /// What was read only because a function wanted to know it.
    #[serde(default)]
    pub details: Details,
    /// The project's own facts, by name.
    #[serde(default)]
    pub own: BTreeMap<String, Value>,
    /// The user that scripts run as, after sudo.
    pub user: String,
    /// Whether the node itself is marked as bootstrapped (`/var/lib/pallet/bootstrapped` exists).
    pub bootstrapped: bool,
    /// Flags that an interrupted run set on the node, before it did the work that they ask for.
    #[serde(default)]
    pub pending_flags: Vec<String>,
}

impl Facts {
    /// These facts; what was not asked for is as it was before. `is_declared`: whether a project
    /// still has a fact of this name.
    pub fn or_remembered(
        &self,
        before: Option<&Facts>,
        is_declared: impl Fn(&str) -> bool,
    ) -> Facts {
        let mut facts = self.clone();
        if let Some(before) = before {
            facts.details = before.details.clone();
            facts.details.learn(self.details.clone());
            let kept = before.own.iter().filter(|(name, _)| is_declared(name));
            facts.own = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
            facts.own.extend(self.own.clone());
        }
        facts
    }

    /// Whether functions that read these details would see the same.
    pub fn look_like(&self, other: &Facts, read: &BTreeSet<Detail>) -> bool {
        self.os == other.os
            && self.machine == other.machine
            && self.own == other.own
            && self.bootstrapped == other.bootstrapped
            && self.details.only(read) == other.details.only(read)
    }
}

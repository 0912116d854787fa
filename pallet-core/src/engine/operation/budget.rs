//! How many nodes may fail before nothing new begins.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Counts the failures of the groups of an operation. If those of one group exceed its limit,
/// nothing new begins on any node.
#[derive(Debug, Default)]
pub(super) struct Budget {
    groups: Vec<Group>,
    /// Why nothing new begins.
    spent: OnceLock<String>,
}

#[derive(Debug)]
struct Group {
    name: String,
    /// How many of its nodes may fail.
    limit: usize,
    failed: AtomicUsize,
}

/// The budget, from the view of a node.
#[derive(Debug, Clone)]
pub(super) struct GroupBudget {
    budget: Arc<Budget>,
    group: usize,
}

impl Budget {
    /// A budget with these limits by group.
    pub(super) fn of(limits: BTreeMap<String, usize>) -> Arc<Self> {
        let group = |(name, limit)| Group { name, limit, failed: AtomicUsize::new(0) };
        Arc::new(Budget { groups: limits.into_iter().map(group).collect(), spent: OnceLock::new() })
    }

    /// The budget of a group, if it has one.
    pub(super) fn of_group(self: &Arc<Self>, name: &str) -> Option<GroupBudget> {
        let group = self.groups.iter().position(|group| group.name == name)?;
        Some(GroupBudget { budget: self.clone(), group })
    }

    /// Why nothing new begins, if the budget is spent.
    pub(super) fn spent(&self) -> Option<&str> {
        self.spent.get().map(String::as_str)
    }
}

impl GroupBudget {
    /// Counts one more failed node.
    pub(super) fn count_failure(&self) {
        let group = &self.budget.groups[self.group];
        let failed = group.failed.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(why) = too_many(failed, &group.name, group.limit) {
            let _ = self.budget.spent.set(why);
        }
    }

    /// Why nothing new begins, if the budget is spent.
    pub(super) fn spent(&self) -> Option<&str> {
        self.budget.spent()
    }
}

/// Why nothing new begins, if more nodes of a group failed than may.
pub(in crate::engine) fn too_many(failed: usize, group: &str, limit: usize) -> Option<String> {
    let nodes = if failed == 1 { "node" } else { "nodes" };
    (failed > limit)
        .then(|| format!("{failed} {nodes} of group {group} failed, and max_failures is {limit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_too_many_stops_everything() {
        let budget = Budget::of([("web".to_owned(), 1), ("db".to_owned(), 0)].into());
        let web = budget.of_group("web").unwrap();
        assert!(budget.of_group("cache").is_none());
        web.count_failure();
        assert_eq!(budget.spent(), None);
        web.count_failure();
        let why = "2 nodes of group web failed, and max_failures is 1";
        assert_eq!((budget.spent(), web.spent()), (Some(why), Some(why)));
        budget.of_group("db").unwrap().count_failure();
        assert_eq!(budget.spent(), Some(why), "the first reason stays");
    }
}

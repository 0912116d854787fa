//! The rollout of each group, as the caller overrides it, and how many of its nodes may fail.

use std::collections::BTreeMap;

use super::member::Member;
use super::options::RolloutOptions;
use crate::engine::Rollout;

/// The rollout of a node's group, as the caller overrides it.
pub(super) fn rollout_of(member: &Member, options: &RolloutOptions) -> Rollout {
    let own = member.group.server.rollout.clone().unwrap_or_default();
    Rollout {
        waves: options.waves.clone().or(own.waves),
        max_failures: options.max_failures.or(own.max_failures),
        ..own
    }
}

/// How many nodes of each group may fail, if their number is limited.
pub(super) fn budgets(members: &[Member], options: &RolloutOptions) -> BTreeMap<String, usize> {
    let mut nodes: BTreeMap<&str, (usize, &Member)> = BTreeMap::new();
    for member in members {
        nodes.entry(&member.group.name).or_insert((0, member)).0 += 1;
    }
    let limit = |(group, (count, member)): (&str, (usize, &Member))| {
        Some((group.to_owned(), rollout_of(member, options).budget(count)?))
    };
    nodes.into_iter().filter_map(limit).collect()
}

//! How many nodes of each group may fail.

use std::collections::BTreeMap;

use super::member::Member;
use super::options::RolloutOptions;

/// How many nodes of each group may fail, if their number is limited.
pub(super) fn budgets(members: &[Member], options: &RolloutOptions) -> BTreeMap<String, usize> {
    let mut nodes: BTreeMap<&str, (usize, &Member)> = BTreeMap::new();
    for member in members {
        nodes.entry(&member.group.name).or_insert((0, member)).0 += 1;
    }
    let limit = |(group, (count, member)): (&str, (usize, &Member))| {
        Some((group.to_owned(), options.of(&member.group).budget(count)?))
    };
    nodes.into_iter().filter_map(limit).collect()
}

//! Nodes that must not be destroyed.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::operation::{Event, NodeChanges};
use crate::engine::selection::{no_such_name, shortened};
use crate::engine::{Engine, EngineError, GroupSpec};
use crate::model::{Node, PROTECT_TAG};

/// The tag's value on nodes that are protected because their group is. It counts only where the
/// group is not known.
pub(super) const OF_GROUP: &str = "group";

/// Whether a node is protected: by its group, if that is declared, or by its tag.
pub(super) fn is_protected(node: &Node, group: Option<&GroupSpec>) -> bool {
    match node.tags.get(PROTECT_TAG).map(String::as_str) {
        Some("true") => true,
        Some(OF_GROUP) if group.is_none() => true,
        _ => group.is_some_and(|group| group.protect),
    }
}

/// Refuses to destroy these nodes of a group if they are protected, or if fewer than its minimum
/// would be left: `count` of `before`.
pub(super) fn check_protection<'a>(
    group: &GroupSpec,
    count: usize,
    before: usize,
    leaving: impl Iterator<Item = &'a Node>,
    changes: &NodeChanges,
) -> Result<(), EngineError> {
    if changes.unprotect.contains(&group.name) {
        return Ok(());
    }
    let protected: Vec<_> = leaving.filter(|node| is_protected(node, Some(group))).collect();
    refuse(&group.name, &protected)?;
    match group.min_count {
        Some(min_count) if count < min_count as usize && count < before => {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            Err(EngineError::MinCount { group: group.name.clone(), count, min_count })
        }
        _ => Ok(()),
    }
}

fn refuse(group: &str, nodes: &[&Node]) -> Result<(), EngineError> {
    if nodes.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
    Err(EngineError::Protected { group: group.to_owned(), nodes: shortened(&names) })
}

impl Engine {
    /// Refuses to destroy all of these nodes if some of them are protected.
    pub(super) fn check_all_unprotected(
        &self,
        nodes: &[Node],
        groups: &[GroupSpec],
        changes: &NodeChanges,
    ) -> Result<(), EngineError> {
        let group_of = |node: &Node| node.group.clone().unwrap_or_default();
        let is_protected =
            |node: &&Node| is_protected(node, groups.iter().find(|group| group.owns(node)));
        let protected: Vec<_> = nodes
            .iter()
            .filter(|node| !changes.unprotect.contains(&group_of(node)))
            .filter(is_protected)
            .collect();
        match protected.first() {
            Some(first) => {
                let group = group_of(first);
                let same: Vec<_> =
                    protected.iter().copied().filter(|node| group_of(node) == group).collect();
                refuse(&group, &same)
            }
            None => Ok(()),
        }
    }

    /// Marks nodes of protected groups, so that they stay protected if their group is no longer
    /// declared, or the project cannot be loaded.
    pub(super) async fn mark_protected(
        &self,
        nodes: &[Node],
        groups: &[Arc<GroupSpec>],
    ) -> Result<(), EngineError> {
        let is_unmarked = |node: &&Node| {
            let group = groups.iter().find(|group| group.owns(node));
            node.taggable
                && group.is_some_and(|group| group.protect)
                && !node.tags.contains_key(PROTECT_TAG)
        };
        for node in nodes.iter().filter(is_unmarked) {
            match self.tag_node(node, PROTECT_TAG, OF_GROUP).await {
                Ok(()) => {}
                Err(error @ EngineError::Journal(_)) => return Err(error),
                Err(error) => {
                    let message = format!("cannot be marked as protected: {error}");
                    self.tell(Event::Warning { node: Some(node.name.clone()), message });
                }
            }
        }
        Ok(())
    }

    /// Refuses the names of groups that are neither declared nor have nodes.
    pub(super) fn check_unprotect(
        &self,
        groups: &[GroupSpec],
        nodes: &[Node],
        changes: &NodeChanges,
    ) -> Result<(), EngineError> {
        let declared = groups.iter().chain(self.declared.iter().flatten());
        let known: BTreeSet<&str> = declared
            .map(|group| group.name.as_str())
            .chain(nodes.iter().filter_map(|node| node.group.as_deref()))
            .collect();
        match changes.unprotect.iter().find(|name| !known.contains(name.as_str())) {
            Some(name) => Err(no_such_name("group", name, known.into_iter())),
            None => Ok(()),
        }
    }
}

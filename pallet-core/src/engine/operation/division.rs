//! Divides the nodes of a project: those that an operation is for, and the others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::Event;
use super::options::PhaseChoice;
use crate::engine::selection::{Selection, no_such_name, shortened};
use crate::engine::spec::AUTOMATIC;
use crate::engine::{Engine, EngineError, GroupSpec};
use crate::model::{Node, natural};

/// A node with its group.
pub(in crate::engine) type GroupedNode = (Node, Arc<GroupSpec>);

/// The nodes of a project, from the view of an operation on some of its groups.
#[derive(Debug, Default)]
pub(in crate::engine) struct Division {
    /// Nodes of the operation's groups.
    pub(in crate::engine) own: Vec<GroupedNode>,
    /// Nodes of the project's other groups.
    pub(in crate::engine) others: Vec<GroupedNode>,
    /// Nodes of groups that the project does not declare.
    pub(in crate::engine) undeclared: Vec<Node>,
}

impl Engine {
    /// Divides nodes into those of these groups, those of other groups, and undeclared ones.
    pub(in crate::engine) fn divide(
        &self,
        nodes: Vec<Node>,
        groups: &[Arc<GroupSpec>],
    ) -> Division {
        let own: BTreeMap<&str, &Arc<GroupSpec>> =
            groups.iter().map(|group| (group.name.as_str(), group)).collect();
        let declared =
            self.declared.iter().flatten().filter(|group| !own.contains_key(group.name.as_str()));
        let others: BTreeMap<&str, Arc<GroupSpec>> =
            declared.map(|group| (group.name.as_str(), Arc::new(group.clone()))).collect();
        let mut division = Division::default();
        for node in nodes {
            let name = node.group.as_deref().unwrap_or_default();
            if let Some(group) = own.get(name) {
                division.own.push((node, (*group).clone()));
            } else if let Some(group) = others.get(name) {
                division.others.push((node, group.clone()));
            } else if self.declared.is_some() {
                division.undeclared.push(node);
            }
        }
        division
    }

    /// Warns about nodes of undeclared groups, which no operation changes.
    pub(in crate::engine) fn tell_undeclared(&self, nodes: &[Node]) {
        if nodes.is_empty() {
            return;
        }
        let mut of_group: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in nodes {
            of_group.entry(node.group.as_deref().unwrap_or_default()).or_default().push(&node.name);
        }
        for (group, mut names) in of_group {
            names.sort_by_cached_key(|name| natural(name));
            let of = match group {
                "" => "no group".to_owned(),
                group => format!("group {group}, which is not declared"),
            };
            let belongs = if names.len() == 1 { "belongs to" } else { "belong to" };
            let message = format!("{} {belongs} {of}: left unchanged", shortened(&names));
            let help = if nodes.iter().all(|node| node.permanent) {
                "declare the group, or remove the nodes from pallet.toml"
            } else {
                "declare the group, or run `converge --remove-undeclared` to destroy nodes of \
                 undeclared groups"
            };
            self.tell(Event::Warning { node: None, message: format!("{message}; {help}") });
        }
    }
}

impl Engine {
    /// Refuses the name of a phase that no group of the project has.
    pub(in crate::engine) fn check_phases(
        &self,
        groups: &[GroupSpec],
        phases: &[PhaseChoice],
    ) -> Result<(), EngineError> {
        let all = || groups.iter().chain(self.declared.iter().flatten());
        let own = all()
            .flat_map(|group| group.server.phases.keys().cloned().chain(group.default_phases()));
        let known: BTreeSet<String> = own.chain(AUTOMATIC.map(str::to_owned)).collect();
        for phase in phases {
            match phase {
                PhaseChoice::Named(name) if !known.contains(name) => {
                    let defined: BTreeSet<_> = all()
                        .flat_map(|group| group.server.phases.keys().map(String::as_str))
                        .collect();
                    return Err(no_such_name("phase", name, defined.into_iter()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Refuses groups that exceed the maximum number of nodes.
pub(in crate::engine) fn check_counts<'a>(
    groups: impl Iterator<Item = &'a GroupSpec> + Clone,
    limit: u32,
) -> Result<(), EngineError> {
    let wanted = groups.clone().filter_map(|group| group.count).map(u64::from).sum();
    let Some(GroupSpec { name, count: Some(count), .. }) = groups.max_by_key(|group| group.count)
    else {
        return Ok(());
    };
    if wanted <= u64::from(limit) {
        return Ok(());
    }
    Err(EngineError::TooManyNodes { wanted, group: name.clone(), count: *count, limit })
}

/// The nodes that belong to one of these groups, each with its group.
pub(in crate::engine) fn with_groups(
    nodes: impl IntoIterator<Item = Node>,
    groups: &[Arc<GroupSpec>],
) -> Vec<GroupedNode> {
    let groups: BTreeMap<&str, &Arc<GroupSpec>> =
        groups.iter().map(|group| (group.name.as_str(), group)).collect();
    let group_of = |node: &Node| groups.get(node.group.as_deref()?).map(|group| (*group).clone());
    nodes.into_iter().filter_map(|node| group_of(&node).map(|group| (node, group))).collect()
}

impl Division {
    /// Keeps only those of its own nodes that are selected, and moves the rest to the others.
    pub(in crate::engine) async fn keep(
        &mut self,
        engine: &Engine,
        selection: &Selection,
        groups: &[GroupSpec],
    ) -> Result<(), EngineError> {
        let all = std::mem::take(&mut self.own);
        let (own, rest) = engine.part(all, |(node, _)| node, groups, selection).await?;
        self.own = own;
        self.others.extend(rest);
        Ok(())
    }
}

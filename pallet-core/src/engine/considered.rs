//! Nodes that an operation is not for, as its functions know them: without asking anybody.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::declare::Subject;
use super::event::Event;
use super::lift::{Run, SETTINGS, natural};
use super::{Engine, EngineError, GroupSpec};
use crate::model::{ImageSpec, Node, Os, Target};

/// A node with its group.
pub(super) type Member = (Node, Arc<GroupSpec>);

/// A node that an operation does nothing to. Functions see it, and the settings that its group
/// declares for it.
pub(super) struct Considered {
    node: Node,
    group: Arc<GroupSpec>,
    /// The system that it had when it was last asked, or that its provider claims.
    os: Option<Os>,
}

impl Considered {
    pub(super) fn new(engine: &Engine, (node, group): Member) -> Self {
        let facts =
            engine.facts_cache.as_ref().and_then(|cache| cache.get(&engine.project, &node.id));
        Considered { os: facts.map(|facts| facts.os).or_else(|| node.os.clone()), node, group }
    }
}

/// The nodes of a project, seen from an operation on some of its groups.
#[derive(Debug, Default)]
pub(super) struct Division {
    /// Those of the operation's groups.
    pub(super) own: Vec<Member>,
    /// Those of the project's other groups.
    pub(super) others: Vec<Member>,
    /// Those of no group that the project declares.
    pub(super) undeclared: Vec<Node>,
}

impl Engine {
    /// Tells the nodes of these groups from those of others.
    pub(super) fn divide(&self, nodes: Vec<Node>, groups: &[Arc<GroupSpec>]) -> Division {
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

    /// Tells of nodes that no operation will ever touch unless it is told to: their group is not
    /// declared.
    pub(super) fn tell_undeclared(&self, nodes: &[Node]) {
        if nodes.is_empty() {
            return;
        }
        let mut of_group: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in nodes {
            of_group.entry(node.group.as_deref().unwrap_or_default()).or_default().push(&node.name);
        }
        for (group, mut names) in of_group {
            names.sort_by_cached_key(|name| natural(name));
            let of = if group.is_empty() {
                "no group".to_owned()
            } else {
                format!(
                    "group {group}, \
                which is not declared"
                )
            };
            let are = if names.len() == 1 { "is of" } else { "are of" };
            let message = format!(
                "{} {are} {of}: nothing is done to {}",
                shortened(&names),
                if names.len() == 1 { "it" } else { "them" }
            );
            let help = if nodes.iter().all(|node| node.permanent) {
                "declare the group, or take what is listed out of pallet.toml"
            } else {
                "declare the group, or say `converge --remove-undeclared` to destroy what is of no \
                 group"
            };
            self.tell(Event::Warning { node: None, message: format!("{message}; {help}") });
        }
    }

    /// Refuses groups that want more nodes than there may be.
    pub(super) fn check_counts(&self, groups: &[GroupSpec]) -> Result<(), EngineError> {
        let wanted = groups.iter().filter_map(|group| group.count).map(u64::from).sum();
        let most = groups.iter().max_by_key(|group| group.count);
        match most {
            Some(GroupSpec { name, count: Some(count), .. })
                if wanted > u64::from(self.max_nodes) =>
            {
                Err(EngineError::TooManyNodes {
                    wanted,
                    group: name.clone(),
                    count: *count,
                    limit: self.max_nodes,
                })
            }
            _ => Ok(()),
        }
    }
}

/// So many names are listed; the others are counted.
const NAMES: usize = 10;

/// Names in a sentence.
pub(super) fn shortened(names: &[&str]) -> String {
    match names.len().checked_sub(NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!(
            "{} and {more} more",
            names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// The system that is explained and considered where nothing says which it is.
pub(super) const USUAL: &str = "debian 12";

/// The system that a node-spec names, if it names one.
pub(super) fn named_os(image: Option<&ImageSpec>) -> Option<Os> {
    let ImageSpec { os_family: Some(family), os_version, .. } = image? else { return None };
    // a range of versions names none
    let version = os_version.as_deref().filter(|version| !version.contains(['<', '>', '=', ',']));
    Some(Os::named(&format!("{family} {}", version.unwrap_or_default()), std::env::consts::ARCH))
}

/// A node as functions see it.
pub(super) fn target(node: &Node, group: &GroupSpec, os: Os) -> Target {
    Target {
        id: node.id.clone(),
        name: node.name.clone(),
        group: group.name.clone(),
        address: node.address.clone(),
        roles: group.server.roles.iter().cloned().collect(),
        os,
    }
}

/// All nodes that the functions of a run know, in the order of their names, each with its position
/// in the run if it is of it. A node of which nothing is known is taken to be like the others of
/// its group.
pub(super) fn subjects(run: &Run) -> (Vec<Option<usize>>, Vec<Subject>) {
    let known = run
        .nodes
        .iter()
        .filter_map(|node| Some((node.group.name.as_str(), &node.facts.as_ref()?.os)));
    let claimed = run
        .considered
        .iter()
        .filter_map(|node| Some((node.group.name.as_str(), node.os.as_ref()?)));
    let mut of_group: BTreeMap<&str, &Os> = BTreeMap::new();
    for (group, os) in known.chain(claimed) {
        of_group.entry(group).or_insert(os);
    }
    let like_others = |group: &GroupSpec| {
        let alike = of_group.get(group.name.as_str()).map(|os| (*os).clone());
        let named = || named_os(group.server.node_spec.image.as_ref());
        let any = || of_group.values().next().map(|os| (*os).clone());
        alike
            .or_else(named)
            .or_else(any)
            .unwrap_or_else(|| Os::named(USUAL, std::env::consts::ARCH))
    };
    let settings =
        |group: &GroupSpec| vec![(SETTINGS.to_owned(), group.server.phases.get(SETTINGS).cloned())];
    let mut all: Vec<(Option<usize>, Subject)> =
        Vec::with_capacity(run.nodes.len() + run.considered.len());
    for (position, node) in run.nodes.iter().enumerate() {
        let subject = match &node.facts {
            Some(facts) => Subject {
                target: target(&node.node, &node.group, facts.os.clone()),
                phases: run.phases_of(node),
                considered: false,
            },
            // it could not be asked, which is no reason to forget it
            None => Subject {
                target: target(
                    &node.node,
                    &node.group,
                    node.node.os.clone().unwrap_or_else(|| like_others(&node.group)),
                ),
                phases: settings(&node.group),
                considered: true,
            },
        };
        all.push((Some(position).filter(|_| node.facts.is_some()), subject));
    }
    for Considered { node, group, os } in &run.considered {
        let target = target(node, group, os.clone().unwrap_or_else(|| like_others(group)));
        all.push((None, Subject { target, phases: settings(group), considered: true }));
    }
    all.sort_by_cached_key(|(_, subject)| natural(&subject.target.name));
    all.into_iter().unzip()
}

#[cfg(test)]
mod tests;

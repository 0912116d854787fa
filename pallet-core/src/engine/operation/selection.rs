//! Selects nodes by name: the names of nodes, and of groups, which stand for all their nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::Event;
use super::options::PhaseChoice;
use crate::engine::spec::AUTOMATIC;
use crate::engine::{Engine, EngineError, GroupSpec};
use crate::model::{Node, did_you_mean, natural};

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
    /// The project's nodes with these names, without duplicates, sorted by name. A name is that of
    /// a group (all its nodes) or a node, or a node's ID at its provider.
    ///
    /// It is an error if a name is unknown, or if a group has no nodes.
    pub async fn select(
        &self,
        groups: &[GroupSpec],
        names: &[String],
    ) -> Result<Vec<Node>, EngineError> {
        select(self.nodes().await?, groups, names)
    }

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

fn select(
    nodes: Vec<Node>,
    groups: &[GroupSpec],
    names: &[String],
) -> Result<Vec<Node>, EngineError> {
    let mut chosen = vec![false; nodes.len()];
    for name in names {
        let of_group = |node: &Node| node.group.as_deref() == Some(name.as_str());
        let own = |node: &Node| node.name == *name || node.id == *name;
        let found: Vec<_> = (0..nodes.len())
            .filter(|index| of_group(&nodes[*index]) || own(&nodes[*index]))
            .collect();
        if found.is_empty() {
            if groups.iter().any(|group| group.name == *name) {
                return Err(EngineError::NoNodes { group: name.clone() });
            }
            let known = groups
                .iter()
                .map(|group| group.name.as_str())
                .chain(nodes.iter().map(|node| node.name.as_str()));
            return Err(no_such_name("node or group", name, known));
        }
        found.into_iter().for_each(|index| chosen[index] = true);
    }
    let mut nodes: Vec<_> =
        nodes.into_iter().zip(chosen).filter_map(|(node, chosen)| chosen.then_some(node)).collect();
    nodes.sort_by_cached_key(|node| natural(&node.name));
    Ok(nodes)
}

/// The nodes with these names or IDs; `what` and `others` are the other valid kinds of names and
/// the other names, for the error.
pub(in crate::engine) fn find_named<'a>(
    nodes: &'a [Node],
    names: &[String],
    what: &'static str,
    others: &[&str],
) -> Result<Vec<&'a Node>, EngineError> {
    let find = |name: &String| {
        let found = nodes.iter().find(|node| node.name == *name || node.id == *name);
        found.ok_or_else(|| {
            no_such_name(
                what,
                name,
                others.iter().copied().chain(nodes.iter().map(|node| node.name.as_str())),
            )
        })
    };
    names.iter().map(find).collect()
}

/// The error for an unknown name, with a suggestion or the known names.
pub(in crate::engine) fn no_such_name<'a>(
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> EngineError {
    let known: Vec<_> = known.collect();
    let list = || match known.is_empty() {
        true => "there are none".to_owned(),
        false => format!("there are: {}", known.join(", ")),
    };
    let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(list);
    EngineError::NoSuchName { what, name: name.to_owned(), help }
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
    /// Keeps only these of its own nodes, and moves the rest to the others. `what` and
    /// `other_names` are for the error, as in [`find_named`].
    pub(in crate::engine) fn keep_named(
        &mut self,
        names: &[String],
        what: &'static str,
        other_names: &[&str],
    ) -> Result<(), EngineError> {
        let there: Vec<_> = self.own.iter().map(|(node, _)| node.clone()).collect();
        let wanted = find_named(&there, names, what, other_names)?;
        let wanted: BTreeSet<_> = wanted.into_iter().map(|node| &node.id).collect();
        let (own, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.own)
            .into_iter()
            .partition(|(node, _)| wanted.contains(&node.id));
        self.own = own;
        self.others.extend(rest);
        Ok(())
    }
}

/// How many names are listed; the rest are only counted.
const NAMES: usize = 10;

/// Joins names for a sentence.
pub(in crate::engine) fn shortened(names: &[&str]) -> String {
    match names.len().checked_sub(NAMES) {
        None | Some(0) => names.join(", "),
        Some(more) => format!(
            "{} and {more} more",
            names.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ServerSpec;
    use crate::model::Connection;

    #[test]
    fn names_mean_nodes_each_once() {
        let node = |name: &str, group: &str| Node {
            group: Some(group.to_owned()),
            ..Node::new(format!("i-{name}"), name, Connection::Local)
        };
        let nodes = || {
            vec![
                node("web-10", "web"),
                node("web-9", "web"),
                node("db-1", "db"),
                node("old-1", "old"),
            ]
        };
        let groups = ["web", "db", "empty"]
            .map(|name| GroupSpec::new(name, None, ServerSpec::new()).unwrap());
        let names = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
            let chosen = select(nodes(), &groups, &wanted).map_err(|error| error.to_string())?;
            Ok::<_, String>(chosen.into_iter().map(|node| node.name).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(&["web-10", "i-db-1", "web"]), Ok("db-1 web-9 web-10".to_owned()));
        assert_eq!(
            names(&["old"]),
            Ok("old-1".to_owned()),
            "a group that is not declared any more"
        );
        assert_eq!(
            names(&["empty"]),
            Err("group empty has no nodes; converge creates them".to_owned())
        );
        assert_eq!(
            names(&["wbe"]),
            Err("there is no node or group wbe; did you mean `web`?".to_owned())
        );
        assert_eq!(
            names(&["elsewhere"]),
            Err("there is no node or group elsewhere; there are: web, db, empty, web-10, web-9, \
                db-1, old-1"
                .to_owned())
        );
    }
}

//! Which nodes a person means: the names of nodes, and of groups, which mean all their nodes.

use std::collections::BTreeSet;

use super::lift::{OF_THEMSELVES, PhaseChoice, natural};
use super::{Engine, EngineError, GroupSpec};
use crate::model::{Node, did_you_mean};

impl Engine {
    /// The project's nodes that these names mean, each once, in the order of their names. A name is
    /// a group's (all its nodes), a node's, or the id that a node has at its provider.
    ///
    /// It is an error if a name means nothing, or a group without nodes.
    pub async fn select(
        &self,
        groups: &[GroupSpec],
        names: &[String],
    ) -> Result<Vec<Node>, EngineError> {
        select(self.nodes().await?, groups, names)
    }

    /// Refuses the name of a phase that no group of the project has.
    pub(super) fn check_phases(
        &self,
        groups: &[GroupSpec],
        phases: &[PhaseChoice],
    ) -> Result<(), EngineError> {
        let all = || groups.iter().chain(self.declared.iter().flatten());
        let own = all()
            .flat_map(|group| group.server.phases.keys().cloned().chain(group.default_phases()));
        let known: BTreeSet<String> = own.chain(OF_THEMSELVES.map(str::to_owned)).collect();
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

/// The nodes of these names or ids; `what` and `others` are what else a name could have been.
pub(super) fn find_named<'a>(
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

/// A name that nothing has; those that there are.
pub(super) fn no_such_name<'a>(
    what: &'static str,
    name: &str,
    known: impl Iterator<Item = &'a str>,
) -> EngineError {
    let known: Vec<_> = known.collect();
    let list = || {
        if known.is_empty() {
            "there are none".to_owned()
        } else {
            format!(
                "there are: \
        {}",
                known.join(", ")
            )
        }
    };
    let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(list);
    EngineError::NoSuchName { what, name: name.to_owned(), help }
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
            "a group that is not declared any \
            more"
        );
        assert_eq!(
            names(&["empty"]),
            Err("group empty has no nodes; converge makes them".to_owned())
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

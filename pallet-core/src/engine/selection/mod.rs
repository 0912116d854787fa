//! Which of a project's nodes an operation is for.

mod compact;
mod matching;
mod names;
mod pattern;

pub use compact::{compact, compact_counted};
pub use matching::Matching;
pub use pattern::{Pattern, PatternError};

pub(super) use names::{find_named, no_such_name, shortened};

use std::collections::BTreeSet;

use super::operation::Event;
use super::{Engine, EngineError, GroupSpec};
use crate::model::{Node, natural};

/// Which of a project's nodes an operation is for: all of them, unless something is said.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Names and patterns of nodes, groups and roles. Those that exclude apply last; with none but
    /// those, all other nodes are meant.
    pub words: Vec<Pattern>,
    /// Of these nodes, only those that these mean too.
    pub limit: Vec<Pattern>,
    /// Of these nodes, only those with these names.
    pub only: Option<Only>,
    /// Of these nodes, only those that meet this.
    pub matching: Option<Matching>,
    /// Of these nodes, so many, chosen at random.
    pub sample: Option<usize>,
}

/// Nodes with these names.
#[derive(Debug, Clone)]
pub struct Only {
    /// The names.
    pub names: BTreeSet<String>,
    /// What they are, for errors: `failed in lift 7f3a9c01d2e4`.
    pub what: String,
}

impl Selection {
    /// A selection of names and patterns.
    pub fn of<S: AsRef<str>>(words: impl IntoIterator<Item = S>) -> Result<Self, PatternError> {
        let words = words.into_iter().map(|word| Pattern::parse(word.as_ref()));
        Ok(Selection { words: words.collect::<Result<_, _>>()?, ..Selection::default() })
    }

    /// The node, group or role with this name.
    pub fn named(name: &str) -> Self {
        Selection { words: vec![Pattern::named(name)], ..Selection::default() }
    }

    /// The same, but of what these words mean.
    pub fn with_words(&self, words: Vec<Pattern>) -> Self {
        Selection { words, ..self.clone() }
    }

    /// Whether it means all nodes.
    pub fn is_all(&self) -> bool {
        self.words.is_empty()
            && self.limit.is_empty()
            && self.only.is_none()
            && self.matching.is_none()
            && self.sample.is_none()
    }

    /// Whether it only has the names of these nodes.
    fn is_obvious(&self, nodes: &[String]) -> bool {
        let is_node = |word: &Pattern| {
            !word.excludes() && word.name().is_some_and(|name| nodes.iter().any(|one| one == name))
        };
        self.with_words(Vec::new()).is_all() && self.words.iter().all(is_node)
    }

    /// The positions of the nodes that are meant, in order, whatever their facts are. A name or a
    /// pattern that no node, group or role has is an error, and so is an empty selection, unless
    /// all of its names are those of groups.
    pub fn choose(&self, nodes: &[Node], groups: &[GroupSpec]) -> Result<Vec<usize>, EngineError> {
        let mut chosen = meant(&self.words, nodes, groups)?;
        let before = chosen.len();
        if before == 0 && self.words.iter().any(Pattern::excludes) {
            let words: Vec<_> = self.words.iter().map(Pattern::written).collect();
            let message = format!("no node is left of {}", words.join(" "));
            return Err(EngineError::Refused(message));
        }
        let left = |what: &str| {
            EngineError::Refused(format!("of {} nodes that are meant, none {what}", before))
        };
        if !self.limit.is_empty() {
            let limit: BTreeSet<_> = meant(&self.limit, nodes, groups)?.into_iter().collect();
            chosen.retain(|position| limit.contains(position));
            if before > 0 && chosen.is_empty() {
                return Err(left("is within the limit"));
            }
        }
        if let Some(Only { names, what }) = &self.only {
            chosen.retain(|position| names.contains(&nodes[*position].name));
            if before > 0 && chosen.is_empty() {
                return Err(left(what));
            }
        }
        if let Some(most) = self.sample.filter(|most| *most < chosen.len()) {
            chosen = fastrand::choose_multiple(chosen, most);
            chosen.sort_unstable();
        }
        Ok(chosen)
    }
}

impl Engine {
    /// Tells which nodes are meant, if these are not all and nobody can tell from the words.
    pub(super) fn tell_selected<'a>(
        &self,
        selection: &Selection,
        nodes: impl Iterator<Item = &'a Node>,
        of: usize,
    ) {
        let nodes: Vec<_> = nodes.map(|node| node.name.clone()).collect();
        if !selection.is_obvious(&nodes) && nodes.len() < of {
            self.tell(Event::Selected { nodes, of });
        }
    }

    /// The project's nodes that are selected, sorted by name.
    ///
    /// It is an error if a name is unknown, or if none is selected.
    pub async fn select(
        &self,
        groups: &[GroupSpec],
        selection: &Selection,
    ) -> Result<Vec<Node>, EngineError> {
        let nodes = self.nodes().await?;
        let of = nodes.len();
        let (mut chosen, _) = self.part(nodes, |node| node, groups, selection).await?;
        if chosen.is_empty() && !selection.is_all() {
            let group = selection.words.iter().find(|word| !word.excludes());
            return Err(match group {
                Some(group) => EngineError::NoNodes { group: group.to_string() },
                None => EngineError::Refused("no node is selected".to_owned()),
            });
        }
        chosen.sort_by_cached_key(|node| natural(&node.name));
        self.tell_selected(selection, chosen.iter(), of);
        Ok(chosen)
    }

    /// Parts these into those whose node is selected, and the rest.
    pub(super) async fn part<T>(
        &self,
        all: Vec<T>,
        node: impl Fn(&T) -> &Node,
        groups: &[GroupSpec],
        selection: &Selection,
    ) -> Result<(Vec<T>, Vec<T>), EngineError> {
        if selection.is_all() {
            return Ok((all, Vec::new()));
        }
        let nodes: Vec<_> = all.iter().map(|one| node(one).clone()).collect();
        let selection = self.settled(groups, &nodes, selection).await?;
        let chosen: BTreeSet<_> = selection.choose(&nodes, groups)?.into_iter().collect();
        let (mut own, mut rest) = (Vec::new(), Vec::new());
        for (position, one) in all.into_iter().enumerate() {
            if chosen.contains(&position) { own.push(one) } else { rest.push(one) }
        }
        Ok((own, rest))
    }
}

/// The positions of the nodes that these words mean; all of them if there are none.
fn meant(
    words: &[Pattern],
    nodes: &[Node],
    groups: &[GroupSpec],
) -> Result<Vec<usize>, EngineError> {
    let roles = |node: &Node| groups.iter().find(|group| group.owns(node));
    let is_itself = |pattern: &Pattern, node: &Node| {
        pattern.matches(&node.name)
            || pattern.name() == Some(node.id.as_str())
            || node.group.as_deref().is_some_and(|group| pattern.matches(group))
    };
    // the name of a node or of a group is not that of a role too
    let is_taken = |pattern: &Pattern| {
        pattern.name().is_some()
            && (groups.iter().any(|group| pattern.matches(&group.name))
                || nodes.iter().any(|node| is_itself(pattern, node)))
    };
    let taken: Vec<&Pattern> = words.iter().filter(|word| is_taken(word)).collect();
    let is = |pattern: &Pattern, node: &Node| {
        let has_role = || {
            let group = roles(node);
            group.is_some_and(|group| group.server.roles.iter().any(|role| pattern.matches(role)))
        };
        is_itself(pattern, node)
            || !taken.iter().any(|taken| std::ptr::eq(*taken, pattern)) && has_role()
    };
    for word in words {
        let known = |group: &GroupSpec| {
            word.matches(&group.name) || group.server.roles.iter().any(|role| word.matches(role))
        };
        if !nodes.iter().any(|node| is(word, node)) && !groups.iter().any(known) {
            return Err(unknown(word, nodes, groups));
        }
    }
    let (without, with): (Vec<_>, Vec<_>) = words.iter().partition(|word| word.excludes());
    let is_meant = |node: &&Node| {
        (with.is_empty() || with.iter().any(|word| is(word, node)))
            && !without.iter().any(|word| is(word, node))
    };
    let positions = nodes.iter().enumerate().filter(|(_, node)| is_meant(node));
    Ok(positions.map(|(position, _)| position).collect())
}

fn unknown(word: &Pattern, nodes: &[Node], groups: &[GroupSpec]) -> EngineError {
    let Some(name) = word.name() else {
        return EngineError::Refused(format!("no node, group or role matches {word}"));
    };
    let names: BTreeSet<&str> = groups
        .iter()
        .map(|group| group.name.as_str())
        .chain(groups.iter().flat_map(|group| group.server.roles.iter().map(String::as_str)))
        .chain(nodes.iter().map(|node| node.name.as_str()))
        .collect();
    no_such_name("node, group or role", name, names.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ServerSpec;
    use crate::model::Connection;

    fn node(name: &str, group: &str) -> Node {
        Node {
            group: Some(group.to_owned()),
            ..Node::new(format!("i-{name}"), name, Connection::Local)
        }
    }

    fn chosen(selection: &Selection) -> Result<String, String> {
        let nodes =
            [node("web-10", "web"), node("web-9", "web"), node("db-1", "db"), node("old-1", "old")];
        let groups = ["web", "db", "empty"].map(|name| {
            let server = ServerSpec::new().role(if name == "db" { "store" } else { "front" });
            GroupSpec::new(name, None, server).unwrap()
        });
        let chosen = selection.choose(&nodes, &groups).map_err(|error| error.to_string())?;
        let names: Vec<_> = chosen.iter().map(|at| nodes[*at].name.as_str()).collect();
        Ok(names.join(" "))
    }

    #[test]
    fn words_mean_nodes_each_once() {
        for (words, expected) in [
            (vec![], Ok("web-10 web-9 db-1 old-1")),
            (vec!["web-10", "i-db-1", "web"], Ok("web-10 web-9 db-1")),
            (vec!["front"], Ok("web-10 web-9")),
            (vec!["*-1"], Ok("db-1 old-1")),
            (vec!["!web"], Ok("db-1 old-1")),
            (vec!["*", "!store", "!web-[1:9]"], Ok("web-10 old-1")),
            // a group that is not declared any more, and one without nodes
            (vec!["old"], Ok("old-1")),
            (vec!["empty"], Ok("")),
            (vec!["wbe"], Err("there is no node, group or role wbe; did you mean `web`?")),
            (vec!["web", "!wbe"], Err("there is no node, group or role wbe; did you mean `web`?")),
            (vec!["wbe-*"], Err("no node, group or role matches wbe-*")),
        ] {
            let found = chosen(&Selection::of(&words).unwrap());
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(found, expected, "{words:?}");
        }
    }

    #[test]
    fn a_selection_is_narrowed() {
        let limit =
            |words: &[&str]| words.iter().map(|word| Pattern::parse(word).unwrap()).collect();
        let web = || Selection::of(["web"]).unwrap();
        assert_eq!(chosen(&Selection { limit: limit(&["*-9"]), ..web() }), Ok("web-9".to_owned()));
        let none = chosen(&Selection { limit: limit(&["db"]), ..web() }).unwrap_err();
        assert_eq!(none, "of 2 nodes that are meant, none is within the limit");
        let only = |name: &str| {
            Some(Only { names: [name.to_owned()].into(), what: "failed in lift x".to_owned() })
        };
        assert_eq!(chosen(&Selection { only: only("web-9"), ..web() }), Ok("web-9".to_owned()));
        let none = chosen(&Selection { only: only("db-1"), ..web() }).unwrap_err();
        assert_eq!(none, "of 2 nodes that are meant, none failed in lift x");
        let sample = |count| chosen(&Selection { sample: Some(count), ..Selection::default() });
        assert_eq!(sample(2).unwrap().split(' ').count(), 2);
        assert_eq!(sample(9), chosen(&Selection::default()));
    }
}

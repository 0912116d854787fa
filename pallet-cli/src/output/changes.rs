//! Collects what happens on many nodes, and tells what is equal once.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use pallet_core::engine::natural;

use super::fold::{names, shape};

/// Up to this many lines that differ only in numbers and in the name of the node are told; of more,
/// the first stands for all.
const ALIKE: usize = 5;

/// What is told about a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// `~`, `?`, ...; may be empty.
    pub(super) mark: String,
    /// What happened: one line.
    pub(super) head: String,
    /// Further lines, such as a diff, each with a line end before it.
    pub(super) more: String,
    /// Follows the name: ` (predicted)`.
    pub(super) suffix: &'static str,
    /// The position of the action in its phase.
    pub(super) number: usize,
}

impl Told {
    /// The line for these nodes.
    pub(super) fn line(&self, nodes: &str) -> String {
        let Told { mark, head, more, suffix, .. } = self;
        let space = if mark.is_empty() { "" } else { " " };
        format!("{mark}{space}{nodes}{suffix}: {head}{more}")
    }
}

/// What was told about nodes since it was last taken, in the order of nodes and actions.
#[derive(Debug, Default)]
pub(super) struct Changes {
    kinds: Vec<Alike>,
    /// The place of each kind of line.
    places: HashMap<(String, String, &'static str), usize>,
}

/// Lines that are equal but for numbers and the name of the node.
#[derive(Debug, Default)]
struct Alike {
    entries: Vec<Entry>,
    /// The place of each line.
    heads: HashMap<String, usize>,
    nodes: HashSet<String>,
    /// A node has several of them: then they are not what is the same on each node.
    overlaps: bool,
}

/// Nodes about which the same is told.
#[derive(Debug)]
struct Entry {
    told: Told,
    nodes: Vec<String>,
    /// The further lines of the first node, and how many others there are.
    first: u64,
    others: HashSet<u64>,
}

impl Changes {
    /// Adds what is told about a node.
    pub(super) fn add(&mut self, node: &str, mut told: Told) {
        let key = (told.mark.clone(), shape(&told.head, node), told.suffix);
        let kinds = &mut self.kinds;
        let place = *self.places.entry(key).or_insert_with(|| {
            kinds.push(Alike::default());
            kinds.len() - 1
        });
        let Some(kind) = self.kinds.get_mut(place) else { return };
        let more = hash(&told.more);
        let known = kind.heads.get(&told.head).and_then(|at| kind.entries.get_mut(*at));
        if let Some(entry) = known {
            entry.told.number = entry.told.number.min(told.number);
            entry.nodes.push(node.to_owned());
            if entry.first != more {
                entry.others.insert(more);
            }
            // a node has each line once
            kind.overlaps |= kind.entries.len() > 1 && kind.nodes.contains(node);
            kind.nodes.insert(node.to_owned());
            return;
        }
        kind.overlaps |= !kind.nodes.insert(node.to_owned());
        // only the first ones are shown, so that many nodes need little memory
        if kind.entries.len() > ALIKE && !kind.overlaps {
            told.more.clear();
        }
        kind.heads.insert(told.head.clone(), kind.entries.len());
        let nodes = vec![node.to_owned()];
        kind.entries.push(Entry { told, nodes, first: more, others: HashSet::new() });
    }

    /// Takes out everything, as lines.
    pub(super) fn take(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for Alike { mut entries, overlaps, .. } in std::mem::take(self).kinds {
            for entry in &mut entries {
                entry.nodes.sort_by_cached_key(|node| natural(node));
                entry.nodes.dedup();
            }
            if entries.len() <= ALIKE || overlaps {
                lines.extend(entries.into_iter().map(Entry::line));
                continue;
            }
            let alike = entries.len() - 1;
            let mut nodes: Vec<String> =
                entries.iter().flat_map(|entry| entry.nodes.iter().cloned()).collect();
            nodes.sort_by_cached_key(|node| natural(node));
            nodes.dedup();
            let Some(mut first) = entries
                .into_iter()
                .min_by_key(|entry| entry.nodes.first().map(|node| natural(node)))
            else {
                continue;
            };
            let hint = format!("and {alike} like it on other nodes; --per-node shows all");
            let _ = write!(first.told.more, "\n      {hint}");
            lines.push(Entry { nodes, ..first }.line());
        }
        lines.sort_by(|(one, _), (other, _)| one.cmp(other));
        lines.into_iter().map(|(_, line)| line).collect()
    }
}

/// Where a line stands: by its first node, and by the action's position.
type Order = (String, u64, usize);

impl Entry {
    fn line(mut self) -> (Order, String) {
        let first = self.nodes.first().cloned().unwrap_or_default();
        if !self.others.is_empty() {
            let others = self.others.len();
            let (differ, nodes) = if others == 1 { ("differs", "") } else { ("differ", "s") };
            let more = std::mem::take(&mut self.told.more);
            self.told.more = format!(
                "\n      on {first}, and {others} other{nodes} that {differ}; --per-node shows \
                 all:{more}"
            );
        }
        let (stem, number) = natural(&first);
        let order = (stem, number, self.told.number);
        let nodes: Vec<&str> = self.nodes.iter().map(String::as_str).collect();
        (order, self.told.line(&names(&nodes)))
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(number: usize, head: &str, more: &str) -> Told {
        let (mark, head, more) = ("~".to_owned(), head.to_owned(), more.to_owned());
        Told { mark, head, more, number, ..Told::default() }
    }

    #[test]
    fn equal_changes_are_told_once() {
        let mut changes = Changes::default();
        for number in (1..=48).chain([50]) {
            let node = format!("web-{number}");
            changes.add(&node, told(1, "configure: package nginx: install", ""));
            let own = format!("\n      +I am {node}");
            changes.add(&node, told(2, "configure: remote_file /srv/name: create file", &own));
            let file = format!("configure: directory /srv/{node}: create");
            changes.add(&node, told(3, &file, ""));
        }
        changes.add("web-17", told(4, "configure: service nginx: start", ""));
        changes.add("db-1", told(1, "configure: package nginx: install", ""));
        changes.add("db-1", told(2, "configure: package postgresql: install", ""));
        expect_test::expect![[r#"
            ~ db-1, web-[1:48], web-50: configure: package nginx: install
            ~ db-1: configure: package postgresql: install
            ~ web-[1:48], web-50: configure: remote_file /srv/name: create file
                  on web-1, and 48 others that differ; --per-node shows all:
                  +I am web-1
            ~ web-[1:48], web-50: configure: directory /srv/web-1: create
                  and 48 like it on other nodes; --per-node shows all
            ~ web-17: configure: service nginx: start"#]]
        .assert_eq(&changes.take().join("\n"));
        assert!(changes.take().is_empty());
    }

    #[test]
    fn several_lines_of_a_node_are_all_told() {
        let mut changes = Changes::default();
        for number in 1..=8 {
            for node in ["web-1", "web-2", "web-3"] {
                let head = format!("configure: remote_file /srv/app-{number}.conf: create file");
                changes.add(node, told(number, &head, &format!("\n      +{number}")));
            }
        }
        let lines = changes.take();
        assert_eq!(lines.len(), 8, "{lines:#?}");
        let expected = "~ web-[1:3]: configure: remote_file /srv/app-8.conf: create file\n      +8";
        assert_eq!(lines[7], expected);
    }
}

//! The cycles in a graph of files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Files that all lead to each other.
pub(super) struct Circle {
    pub(super) files: BTreeSet<PathBuf>,
    /// Which of them uses what of which.
    pub(super) edges: Vec<String>,
}

impl std::fmt::Display for Circle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} files:\n    {}", self.files.len(), self.edges.join("\n    "))
    }
}

/// The strongly connected parts of more than one file.
pub(super) fn circles(uses: &BTreeMap<PathBuf, BTreeMap<PathBuf, String>>) -> Vec<Circle> {
    let reach = |from: &PathBuf| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            for other in uses.get(file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(other.clone()) {
                    next.push(other);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&PathBuf, BTreeSet<PathBuf>> =
        uses.keys().map(|file| (file, reach(file))).collect();
    let mut told: BTreeSet<&PathBuf> = BTreeSet::new();
    let mut found = Vec::new();
    for (file, leads) in &reached {
        if told.contains(file) || !leads.contains(*file) {
            continue;
        }
        let back = |other: &&PathBuf| leads.contains(*other) && reached[*other].contains(*file);
        let files: Vec<_> = uses.keys().filter(back).collect();
        told.extend(&files);
        let edges = files.iter().flat_map(|from| {
            let used = uses[*from].iter().filter(|(other, _)| files.contains(other));
            used.map(|(other, name)| {
                format!("{} uses {name} of {}", from.display(), other.display())
            })
        });
        let edges = edges.collect();
        found.push(Circle { files: files.into_iter().cloned().collect(), edges });
    }
    found
}

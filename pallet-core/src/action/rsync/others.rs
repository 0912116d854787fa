//! Extra entries in a directory of a node.

use std::collections::BTreeSet;

use wildmatch::WildMatch;

use crate::model::Known;
use crate::observe::{FileState, NodeState, Reading};
use crate::script::{Script, quote};

/// A directory of a node, and the entries that it should have.
pub(super) struct Others<'a> {
    pub(super) path: &'a str,
    pub(super) exclude: &'a [String],
    pub(super) names: BTreeSet<&'a str>,
}

/// Whether any component of a path has an excluded name. In a pattern, `*` matches any characters,
/// `?` matches one.
pub(super) fn is_excluded(patterns: &[String], path: &str) -> bool {
    let patterns: Vec<_> = patterns.iter().map(|pattern| WildMatch::new(pattern)).collect();
    path.split('/').any(|part| patterns.iter().any(|pattern| pattern.matches(part)))
}

impl Others<'_> {
    /// The command that lists the directory.
    pub(super) fn question(&self) -> String {
        format!(
            "cd -- {} && find . ! -name . ! -path '*\n*' -print | LC_ALL=C sort",
            quote(self.path)
        )
    }

    /// The entries of the directory, if known.
    pub(super) fn found(&self, node: &NodeState, there: &Known<bool>) -> Option<BTreeSet<String>> {
        match (there, node.reading(&self.question())) {
            (Known::Known(false), _) => Some(BTreeSet::new()),
            (Known::Known(true), Known::Known(Reading { exit: 0, output, .. })) => {
                output.lines().map(|line| line.strip_prefix("./").map(str::to_owned)).collect()
            }
            _ => None,
        }
    }

    /// Plans deletions, and updates `node` to the state after them; `None` if the node must find
    /// out.
    pub(super) fn plan(
        &self,
        node: &mut NodeState,
        found: Option<BTreeSet<String>>,
    ) -> Option<Vec<String>> {
        let Some(found) = found else {
            let below = format!("{}/", self.path);
            node.forget_reading(&self.question());
            self.forget_others(node, &below);
            return None;
        };
        let excluded: BTreeSet<&String> =
            found.iter().filter(|name| is_excluded(self.exclude, name)).collect();
        // the directory of an excluded entry stays
        let holds = |directory: &str| {
            let below = format!("{directory}/");
            excluded.iter().any(|name| name.starts_with(&below))
        };
        let (kept, deleted): (Vec<&String>, Vec<&String>) = found.iter().partition(|name| {
            self.names.contains(name.as_str()) || excluded.contains(name) || holds(name)
        });
        for name in &deleted {
            let path = format!("{}/{name}", self.path);
            node.forget_files_below(&path);
            node.set_file(&path, FileState::Absent);
        }
        let then: BTreeSet<&str> =
            kept.into_iter().map(String::as_str).chain(self.names.iter().copied()).collect();
        let mut lines: Vec<_> = then.into_iter().map(|name| format!("./{name}")).collect();
        lines.sort();
        let reading =
            Reading { exit: 0, output: lines.join("\n"), of: Some(format!("{}/", self.path)) };
        node.set_reading(&self.question(), reading);
        Some(deleted.into_iter().cloned().collect())
    }

    /// Forgets unwanted entries, which may be deleted.
    fn forget_others(&self, node: &mut NodeState, below: &str) {
        let wanted: Vec<_> = self
            .names
            .iter()
            .filter_map(|name| {
                let path = format!("{below}{name}");
                match node.file(&path).cloned() {
                    Known::Known(state) => Some((path, state)),
                    Known::Unknown => None,
                }
            })
            .collect();
        let own = node.file(self.path).cloned();
        node.forget_files_below(self.path);
        if let Known::Known(own) = own {
            node.set_file(self.path, own);
        }
        for (path, state) in wanted {
            node.set_file(&path, state);
        }
    }

    /// The script that deletes them.
    pub(super) fn script(&self) -> Script {
        let names: String =
            self.names.iter().map(|name| format!(" {}", quote(&format!("./{name}")))).collect();
        let names =
            if names.is_empty() { ":".to_owned() } else { format!("printf '%s\\n'{names}") };
        // quote everything except wildcards
        let pattern = |pattern: &String| {
            let parts = pattern.split_inclusive(['*', '?']);
            let quoted = parts.map(|part| match part.strip_suffix(['*', '?']) {
                Some("") => part.to_owned(),
                Some(start) => format!("{}{}", quote(start), &part[start.len()..]),
                None => quote(part),
            });
            quoted.collect::<String>()
        };
        let patterns: Vec<_> = self.exclude.iter().map(pattern).collect();
        let excluded = match patterns.as_slice() {
            [] => "false".to_owned(),
            patterns => format!("case $1 in {}) ;; *) false ;; esac", patterns.join(" | ")),
        };
        Script::new()
            .raw(&format!("names() {{ {names}; }}"))
            .raw(&format!("excluded() {{ {excluded}; }}"))
            .call(["ensure_only", self.path])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*.tmp", "x.tmp", true),
            ("*.tmp", ".tmp", true),
            ("*.tmp", "x.tmp.gz", false),
            ("a*b*c", "a-b-b-c", true),
            ("?", "\u{fc}", true),
            ("?", "", false),
            ("*", "", true),
        ] {
            let excluded = is_excluded(&[pattern.to_owned()], name);
            assert_eq!(excluded, expected, "{pattern} {name}");
        }
        assert!(is_excluded(&[".git".to_owned()], "a/.git/config"));
        assert!(!is_excluded(&["a/b".to_owned()], "a/b"));
    }
}

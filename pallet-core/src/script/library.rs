//! Selects the part of the library that a script needs: the functions that it calls, and those that
//! they call.

use std::collections::{BTreeSet, HashMap};

use super::LIBRARY;

/// The shell functions that `script` needs, directly and indirectly, and the text that every script
/// begins with.
pub fn library_for(script: &str) -> String {
    Library::default().part_for(script)
}

/// Shell functions, by name.
#[derive(Debug, Clone)]
pub struct Library<'a> {
    /// The text outside of functions.
    head: String,
    functions: HashMap<&'a str, &'a str>,
}

impl Default for Library<'static> {
    fn default() -> Self {
        Library::read(LIBRARY)
    }
}

impl<'a> Library<'a> {
    /// See [`library_for`].
    pub fn part_for(&self, script: &str) -> String {
        self.part_without("", script)
    }

    /// Like [`Library::part_for`], without one function, which is defined elsewhere.
    pub fn part_without(&self, other: &str, script: &str) -> String {
        let mut needed = BTreeSet::new();
        let mut open: Vec<&str> = vec![script, &self.head];
        while let Some(text) = open.pop() {
            for word in words(text) {
                if let Some((name, body)) = self.functions.get_key_value(word)
                    && word != other
                    && needed.insert(*name)
                {
                    open.push(body);
                }
            }
        }
        let functions = needed.iter().filter_map(|name| self.functions.get(name)).copied();
        std::iter::once(self.head.as_str()).chain(functions).collect()
    }

    /// A function begins with `name() {` at the start of a line. It ends on that line, or with a
    /// line that is only `}`. A function that runs in a subshell has `(` and `)` instead.
    fn read(text: &'a str) -> Self {
        let mut library = Library { head: String::new(), functions: HashMap::new() };
        let mut rest = text;
        while !rest.is_empty() {
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            let mut taken = line.len();
            let begun = line
                .split_once("() {")
                .map(|begun| (begun, "\n}\n"))
                .or_else(|| Some((line.split_once("() (")?, "\n)\n")));
            match begun {
                Some(((name, behind), end)) if words(name).next() == Some(name) => {
                    if !behind.trim_end().ends_with(end.trim()) {
                        taken = rest.find(end).map_or(rest.len(), |end| end + 3);
                    }
                    library.functions.insert(name, &rest[..taken]);
                }
                _ if line.starts_with('#') || line.trim().is_empty() => {}
                _ => library.head.push_str(line),
            }
            rest = &rest[taken..];
        }
        library
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::shells::shells;

    #[test]
    fn what_is_called_comes_with_what_it_calls() {
        let files = library_for("ensure_content /etc/motd 00 '' '' '' ''");
        for name in ["ensure_content", "replace_at", "changed", "fail"] {
            assert!(files.contains(&format!("\n{name}() {{")), "{name}:\n{files}");
        }
        assert!(
            !files.contains("package_transaction() {") && !files.contains("ensure_user() {"),
            "{files}"
        );
        assert!(files.len() < LIBRARY.len() / 2);
        assert!(library_for("true").len() < 2000, "{}", library_for("true"));
    }

    #[test]
    fn every_function_is_found_and_whole() {
        let library = Library::read(LIBRARY);
        let begun = LIBRARY
            .lines()
            .filter(|line| {
                ["() {", "() ("].iter().any(|begin| line.contains(begin))
                    && line.starts_with(|first: char| first.is_ascii_lowercase())
            })
            .count();
        assert_eq!(library.functions.len(), begun);
        for shell in shells() {
            for (name, body) in &library.functions {
                let output = shell.run(&format!("{body}\ncommand -v {name}"));
                assert_eq!(
                    String::from_utf8_lossy(&output.stdout).trim_end(),
                    *name,
                    "{shell}: {}",
                    String::from_utf8_lossy(&output.stderr)
                );
            }
        }
    }
}

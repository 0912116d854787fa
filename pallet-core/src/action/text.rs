//! A text as the library's editing programs see it, and edits of its lines: the Rust half of
//! `library/programs.sh`.

use std::collections::{BTreeMap, BTreeSet};

/// Stands at the beginning of some files.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text with edits of its lines.
#[derive(Debug)]
pub(super) struct Text<'a> {
    whole: &'a str,
    /// Its lines without line ends, carriage returns, and a byte order mark.
    pub(super) lines: Vec<&'a str>,
    endings: Vec<&'static str>,
    set: BTreeMap<usize, String>,
    dropped: BTreeSet<usize>,
    /// New lines, by the number of old lines before them.
    added: BTreeMap<usize, Vec<String>>,
}

impl<'a> Text<'a> {
    pub(super) fn of(whole: &'a str) -> Self {
        let ended =
            |line: &'a str| line.strip_suffix('\r').map_or((line, "\n"), |line| (line, "\r\n"));
        let (mut lines, endings): (Vec<_>, _) = whole.split_terminator('\n').map(ended).unzip();
        if let Some(first) = lines.first_mut() {
            *first = first.strip_prefix(BYTE_ORDER_MARK).unwrap_or(first);
        }
        Text {
            whole,
            lines,
            endings,
            set: BTreeMap::new(),
            dropped: BTreeSet::new(),
            added: BTreeMap::new(),
        }
    }

    /// Replaces the line at this position.
    pub(super) fn set(&mut self, at: usize, line: impl Into<String>) {
        self.set.insert(at, line.into());
    }

    /// Removes the line at this position.
    pub(super) fn drop(&mut self, at: usize) {
        self.dropped.insert(at);
    }

    /// Adds a line after the first `at` ones.
    pub(super) fn add(&mut self, at: usize, line: impl Into<String>) {
        self.added.entry(at).or_default().push(line.into());
    }

    /// Adds a line at the end.
    pub(super) fn push(&mut self, line: impl Into<String>) {
        self.add(self.lines.len(), line);
    }

    /// The edited text. If anything is changed, it ends with a newline.
    pub(super) fn edited(self) -> String {
        if self.set.is_empty() && self.dropped.is_empty() && self.added.is_empty() {
            return self.whole.to_owned();
        }
        let mut out = String::with_capacity(self.whole.len());
        out.extend(self.whole.chars().next().filter(|first| *first == BYTE_ORDER_MARK));
        let fresh = self.endings.first().copied().unwrap_or("\n");
        for at in 0..=self.lines.len() {
            for line in self.added.get(&at).into_iter().flatten() {
                out.push_str(line);
                out.push_str(fresh);
            }
            if at < self.lines.len() && !self.dropped.contains(&at) {
                out.push_str(self.set.get(&at).map_or(self.lines[at], String::as_str));
                out.push_str(self.endings[at]);
            }
        }
        out
    }
}

/// Text without surrounding blanks.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;

    use super::*;
    use crate::action::edit::Edit;
    use crate::action::edit::Missing;
    use crate::observe::Attributes;
    use crate::script::library_for;
    use crate::script::shells::shells;

    /// Runs an editing function of the library on texts in every shell: its result must equal that
    /// of `edited`, and a second run must change nothing.
    pub(in super::super) fn same_in_every_shell(
        function: &str,
        words: &[&str],
        texts: &[&str],
        edited: impl Fn(&str) -> String,
    ) {
        for shell in shells() {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path =
                directory.path().join("it's a file").to_str().expect("it is UTF-8").to_owned();
            let edit = Edit::of(&path, Missing::Create, Attributes::default());
            let call = edit.call(function, words);
            let script = format!(
                "{{\n{}\n( set -e; change=\n{}\n[ -z \"$change\" ] || exit 9 ) </dev/null\n}}",
                library_for(call.as_str()),
                call.as_str()
            );
            for text in texts {
                let wanted = edited(text);
                fs::write(&path, text).expect("it can be written");
                for from in [*text, wanted.as_str()] {
                    let output = shell.run(&script);
                    let said = String::from_utf8_lossy(&output.stderr);
                    let code = if from == wanted { 0 } else { 9 };
                    assert_eq!(
                        output.status.code(),
                        Some(code),
                        "{shell}: {function} {words:?} on {from:?}: {said}"
                    );
                    assert_eq!(
                        fs::read_to_string(&path).expect("it is there"),
                        wanted,
                        "{shell}: {function} {words:?} on {from:?}"
                    );
                }
                assert_eq!(
                    edited(&wanted),
                    wanted,
                    "{function} {words:?} on what it made of {text:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_edited_stays_as_it_is() {
        for text in ["", "\n", "a", "a\r", "\u{feff}", "\u{feff}a\r\nb\n", "a\n\n\r\n"] {
            assert_eq!(Text::of(text).edited(), text);
        }
        let mut text = Text::of("\u{feff}a\r\nb\nc");
        assert_eq!(text.lines, ["a", "b", "c"]);
        text.add(0, "first");
        text.set(0, "A");
        text.drop(1);
        text.push("last");
        assert_eq!(text.edited(), "\u{feff}first\r\nA\r\nc\nlast\r\n");
    }
}

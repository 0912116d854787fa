//! Shared by actions that change a part of a file: planned exactly if the text is known, decided on
//! the node if it is not.

use super::ere::Ere;
use super::file_support::{all_of, attribute_words, kind, new_attributes, parent, plan_file};
use super::{ActionError, Change};
use crate::model::{Known, digest};
use crate::observe::{Attributes, FileState, NodeState, Observation};
use crate::script::{Script, quote};

/// What to do if the file is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// Create it.
    Create,
    /// Fail.
    Refuse,
    /// Do nothing.
    Leave,
}

/// A byte order mark, one character per byte.
const MARK_AS_BYTES: &str = "\u{ef}\u{bb}\u{bf}";

/// A change of a part of the file at `path`.
#[derive(Debug)]
pub(super) struct Edit<'a> {
    pub(super) path: &'a str,
    pub(super) missing: Missing,
    /// The wanted owner, group and mode.
    pub(super) attributes: Attributes,
}

impl<'a> Edit<'a> {
    pub(super) fn of(path: &'a str, missing: Missing, attributes: Attributes) -> Self {
        Edit { path, missing, attributes }
    }

    /// Asks for the state that the plan needs.
    pub(super) fn observe(&self, wanted: &mut Observation) {
        wanted.text(self.path);
        if let Some(parent) = parent(self.path).filter(|_| self.missing == Missing::Create) {
            wanted.file(parent);
        }
    }

    /// Asks the node to evaluate the edit if the file is too large to transfer.
    pub(super) fn observe_edit(&self, wanted: &mut Observation, script: &Script) {
        wanted.edit(self.path, script.as_str());
    }

    /// The digest of the edited file if its text is not known: the node computed it, or the content
    /// is known as non-text bytes, which are also returned.
    fn unseen(
        &self,
        node: &NodeState,
        script: &Script,
        edited: impl FnOnce(&str) -> String,
    ) -> Option<(String, Option<String>)> {
        if let Known::Known(made) = node.reading(script.as_str())
            && made.exit == 0
            && made.output.len() == 64
        {
            return Some((made.output.clone(), None));
        }
        // ASCII edits are the same bytes in every encoding
        let bytes = node.bytes(self.path).filter(|_| script.as_str().is_ascii())?;
        let made = match bytes.strip_prefix(MARK_AS_BYTES) {
            // the mark is one character for what edits, as it is on the node
            Some(rest) => edited(&format!("\u{feff}{rest}")).replacen('\u{feff}', MARK_AS_BYTES, 1),
            None => edited(bytes),
        };
        let raw: Vec<u8> = made
            .chars()
            .map(|letter| u8::try_from(u32::from(letter)).ok())
            .collect::<Option<_>>()?;
        Some((digest(&raw), Some(made)))
    }

    /// Asks for the state that [`Edit::plan_whole`] needs: the text is transferred only if the
    /// content differs.
    pub(super) fn observe_whole(&self, wanted: &mut Observation, content: &str) {
        wanted.content(self.path, &digest(content.as_bytes()));
        if let Some(parent) = parent(self.path).filter(|_| self.missing == Missing::Create) {
            wanted.file(parent);
        }
    }

    /// A call of a library function that edits the file: its name, the path, what to do if the file
    /// is missing, the attributes, and `words`.
    pub(super) fn call(&self, function: &str, words: &[&str]) -> Script {
        let missing = match self.missing {
            Missing::Create => "create",
            Missing::Refuse => "",
            Missing::Leave => "leave",
        };
        let attributes = attribute_words(&self.attributes);
        let words = words.iter().map(|word| (*word).to_owned());
        Script::new().call(
            [function, self.path, missing]
                .map(str::to_owned)
                .into_iter()
                .chain(attributes)
                .chain(words),
        )
    }

    /// Plans to change the file to the result of `edited`, with `script`.
    pub(super) fn plan(
        &self,
        node: &mut NodeState,
        script: Script,
        edited: impl FnOnce(&str) -> String,
    ) -> Result<Option<Change>, ActionError> {
        let with = |text: String, attributes| FileState::File {
            digest: Some(digest(text.as_bytes())),
            text: Some(text),
            attributes,
        };
        let wanted = match node.file(self.path) {
            Known::Known(FileState::File { text: Some(text), attributes, .. }) => {
                with(edited(text), self.attributes.or(attributes))
            }
            Known::Known(FileState::Absent) => match self.missing {
                Missing::Leave => return Ok(None),
                Missing::Refuse => {
                    return Err(ActionError::node(format!(
                        "there is no file {}; create = True makes one",
                        self.path
                    )));
                }
                Missing::Create => with(edited(""), new_attributes(node, &self.attributes, 0o644)),
            },
            Known::Known(FileState::File { attributes, .. }) => {
                let attributes = self.attributes.or(attributes);
                let Some((digest, bytes)) = self.unseen(node, &script, edited) else {
                    node.set_file(
                        self.path,
                        FileState::File { digest: None, text: None, attributes },
                    );
                    return Ok(Some(Change::may("edit file", script)));
                };
                let wanted = FileState::File { digest: Some(digest), text: None, attributes };
                let change = plan_file(node, self.path, wanted, script)?;
                if let Some(bytes) = bytes {
                    node.set_bytes(self.path, bytes);
                }
                return Ok(change);
            }
            Known::Known(FileState::Link { target }) => {
                return Err(ActionError::node(format!(
                    "{} is a link to {target}, not a file; name the file that it points to",
                    self.path
                )));
            }
            Known::Known(other) => {
                return Err(ActionError::node(format!(
                    "{} is a {}, not a file",
                    self.path,
                    kind(other)
                )));
            }
            Known::Unknown => {
                if self.missing == Missing::Leave {
                    node.forget_files_below(self.path);
                } else {
                    node.set_file(
                        self.path,
                        FileState::File {
                            digest: None,
                            text: None,
                            attributes: self.attributes.clone(),
                        },
                    );
                }
                // show the edit as applied to an empty file
                let shown = match self.missing {
                    Missing::Leave => String::new(),
                    _ => all_of(&with(edited(""), self.attributes.clone())),
                };
                return Ok(Some(Change::may("edit file", script).with_diff(shown)));
            }
        };
        plan_file(node, self.path, wanted, script)
    }

    /// Plans to replace the whole content.
    pub(super) fn plan_whole(
        &self,
        node: &mut NodeState,
        content: &str,
    ) -> Result<Option<Change>, ActionError> {
        if let Known::Known(FileState::File { digest: Some(known), text: None, attributes }) =
            node.file(self.path).cloned()
            && known == digest(content.as_bytes())
        {
            node.set_file(
                self.path,
                FileState::File { digest: Some(known), text: Some(content.to_owned()), attributes },
            );
        }
        let script = Script::new().raw(&format!("edited() {{ printf %s {}; }}", quote(content)));
        let script = script.raw(self.call("edit_file", &[]).as_str());
        let change = self.plan(node, script, |_| content.to_owned())?;
        if let Known::Known(FileState::File { digest: None, attributes, .. }) =
            node.file(self.path).cloned()
        {
            let state = FileState::File {
                digest: Some(digest(content.as_bytes())),
                text: Some(content.to_owned()),
                attributes,
            };
            node.set_file(self.path, state);
        }
        Ok(change)
    }
}

/// A line of a file: which line it replaces, or where it goes.
#[derive(Debug)]
pub(super) struct Line<'a> {
    pub(super) line: &'a str,
    pub(super) replaces: Option<Ere>,
    /// A line that matches this is good enough.
    pub(super) enough: Option<Ere>,
    pub(super) place: Option<(LinePosition, Ere)>,
}

/// The position of a new line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinePosition {
    After,
    Before,
}

impl Line<'_> {
    /// Whether the replaced expression matches the line itself. If not, an existing equal line is
    /// enough.
    fn matches_itself(&self) -> bool {
        self.replaces.as_ref().is_some_and(|ere| ere.matches(self.line))
    }

    /// Plans to add the line to the file.
    pub(super) fn plan(
        &self,
        edit: &Edit<'_>,
        node: &mut NodeState,
    ) -> Result<Option<Change>, ActionError> {
        edit.plan(node, self.script(edit), |text| self.edited(text))
    }

    pub(super) fn script(&self, edit: &Edit<'_>) -> Script {
        let itself = if self.matches_itself() { "itself" } else { "" };
        let (place, of) = match &self.place {
            None => ("", ""),
            Some((LinePosition::After, of)) => ("after", of.text()),
            Some((LinePosition::Before, of)) => ("before", of.text()),
        };
        let replaces = self.replaces.as_ref().map(Ere::text).unwrap_or_default();
        let enough = self.enough.as_ref().map(Ere::text).unwrap_or_default();
        edit.call("ensure_line", &[self.line, replaces, itself, place, of, enough])
    }

    pub(super) fn edited(&self, text: &str) -> String {
        let mut lines: Vec<&str> = text.lines_with_endings().collect();
        let enough = |line: &&str| self.enough.as_ref().is_some_and(|ere| ere.matches(bare(line)));
        if !self.matches_itself() && lines.iter().any(|line| bare(line) == self.line)
            || lines.iter().any(enough)
        {
            return text.to_owned();
        }
        let last = |ere: &Ere| lines.iter().rposition(|line| ere.matches(bare(line)));
        if let Some(at) = self.replaces.as_ref().and_then(last) {
            let whole = format!("{}{}", self.line, &lines[at][bare(lines[at]).len()..]);
            // an empty line at the end of the text needs a newline to be a line
            lines[at] = if whole.is_empty() { "\n" } else { &whole };
            return lines.concat();
        }
        let at = match &self.place {
            None => None,
            Some((LinePosition::After, ere)) => last(ere).map(|at| at + 1),
            Some((LinePosition::Before, ere)) => last(ere),
        }
        .unwrap_or(lines.len());
        let ending = ending(text);
        let whole = format!("{}{ending}", self.line);
        let lacks = match at.checked_sub(1).map(|before| lines[before]) {
            Some(before) if before.ends_with('\r') => "\n",
            Some(before) if !before.ends_with('\n') => ending,
            _ => "",
        };
        lines.splice(at..at, [lacks, &whole]);
        lines.concat()
    }
}

/// Plans to remove every line that equals `line`, or that matches.
pub(super) fn plan_no_line(
    edit: &Edit<'_>,
    node: &mut NodeState,
    wrong: &UnwantedLine<'_>,
) -> Result<Option<Change>, ActionError> {
    edit.plan(node, wrong.script(edit), |text| wrong.edited(text))
}

/// The lines to remove.
#[derive(Debug)]
pub(super) enum UnwantedLine<'a> {
    Line(&'a str),
    Match(Ere),
}

impl UnwantedLine<'_> {
    /// The text without these lines.
    pub(super) fn edited(&self, text: &str) -> String {
        let is_wrong = |line: &str| match self {
            UnwantedLine::Line(wrong) => bare(line) == *wrong,
            UnwantedLine::Match(ere) => ere.matches(bare(line)),
        };
        if !text.lines_with_endings().any(is_wrong) {
            return text.to_owned();
        }
        ended(text.lines_with_endings().filter(|line| !is_wrong(line)).collect())
    }

    pub(super) fn script(&self, edit: &Edit<'_>) -> Script {
        let words = match self {
            UnwantedLine::Line(line) => ["-xF", line],
            UnwantedLine::Match(ere) => ["-E", ere.text()],
        };
        edit.call("ensure_no_line", &words)
    }
}

/// Adds a newline at the end of a text that is not empty.
fn ended(mut text: String) -> String {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// A line without its line end: a newline, and a carriage return before it.
pub(super) fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

/// The line end for new lines of a text: that of its first line.
pub(super) fn ending(text: &str) -> &'static str {
    let first = text.lines_with_endings().next().unwrap_or_default();
    if first.strip_suffix('\n').unwrap_or(first).ends_with('\r') { "\r\n" } else { "\n" }
}

/// Iterates over the lines of a text, including their line ends.
pub(super) trait LinesWithEndings {
    fn lines_with_endings(&self) -> std::str::SplitInclusive<'_, char>;
}

impl LinesWithEndings for str {
    fn lines_with_endings(&self) -> std::str::SplitInclusive<'_, char> {
        self.split_inclusive('\n')
    }
}

/// Refuses text that cannot be a single line of a file.
pub(super) fn require_line(action: &str, what: &str, text: &str) -> Result<(), ActionError> {
    if text.contains(['\n', '\0']) {
        return Err(ActionError::arguments(
            action,
            format!("{what} {text:?} holds a newline or a NUL; give one line"),
        ));
    }
    if text.ends_with('\r') {
        let why = "ends with a carriage return; remove it: a line gets what ends the lines of \
            its file";
        return Err(ActionError::arguments(action, format!("{what} {text:?} {why}")));
    }
    Ok(())
}

//! A block of lines between two comments in a file that Pallet does not own. The shell half is
//! `ensure_block` in `library/files.sh`.

use super::edit::ending;
use super::file_support::{diff, kind, new_attributes, require_parent};
use super::{ActionError, Change};
use crate::model::{Known, digest};
use crate::observe::{Attributes, FileState, NodeState, Observation};
use crate::script::Script;

/// Lines that must be in the file at `path`; an empty list removes the block.
#[derive(Debug, Clone)]
pub(super) struct TextBlock {
    pub(super) path: &'static str,
    pub(super) name: String,
    pub(super) lines: Vec<String>,
}

impl TextBlock {
    pub(super) fn observe(&self, wanted: &mut Observation) {
        wanted.text(self.path);
    }

    pub(super) fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let path = self.path;
        let words = ["ensure_block", path, &self.name]
            .into_iter()
            .chain(self.lines.iter().map(String::as_str));
        let script = Script::new().call(words);
        let current = node.file(path).cloned();
        let (old, attributes) = match &current {
            Known::Known(FileState::File { text: Some(text), attributes, .. }) => {
                (text.as_str(), attributes.clone())
            }
            Known::Known(FileState::Absent) => {
                ("", new_attributes(node, &Attributes::default(), 0o644))
            }
            Known::Known(FileState::File { text: None, .. }) | Known::Unknown => {
                node.forget_files_below(path);
                let shown: String = self.lines.iter().map(|line| format!("+{line}\n")).collect();
                return Ok(Some(Change::may("ensure lines", script).with_diff(shown)));
            }
            Known::Known(other) => {
                return Err(ActionError::node(format!("{path} is a {}, not a file", kind(other))));
            }
        };
        let Some(new) = self.applied(old)? else { return Ok(None) };
        let state =
            FileState::File { digest: Some(digest(new.as_bytes())), text: Some(new), attributes };
        require_parent(node, path, &state)?;
        let diff = match node.set_file(path, state.clone()) {
            Known::Known(current) => diff(&current, &state),
            Known::Unknown => String::new(),
        };
        Ok(Some(
            Change::will(
                if self.lines.is_empty() { "remove lines" } else { "write lines" },
                script,
            )
            .with_diff(diff),
        ))
    }

    /// The new text; `None` if nothing changes.
    fn applied(&self, old: &str) -> Result<Option<String>, ActionError> {
        let (begin, end) =
            (format!("# begin pallet {}", self.name), format!("# end pallet {}", self.name));
        let ending = ending(old);
        let mut block = String::new();
        if !self.lines.is_empty() {
            let lines =
                [std::slice::from_ref(&begin), self.lines.as_slice(), std::slice::from_ref(&end)]
                    .concat();
            block = lines.iter().flat_map(|line| [line.as_str(), ending]).collect();
        }
        let wanted = !block.is_empty();
        let (mut new, mut inside, mut there) = (String::new(), false, false);
        for whole in old.split_terminator('\n') {
            let line = whole.strip_suffix('\r').unwrap_or(whole);
            if line == begin {
                (inside, there) = (true, true);
                new.push_str(&std::mem::take(&mut block));
            } else if inside && line == end {
                inside = false;
            } else if !inside {
                new.push_str(whole);
                new.push('\n');
            }
        }
        if inside {
            return Err(ActionError::node(format!(
                "{} has no line {end:?} after {begin:?}",
                self.path
            )));
        }
        new.push_str(&block);
        Ok(Some(new).filter(|new| (there || wanted) && new != old))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::LIBRARY;
    use crate::script::shells::shells;

    #[test]
    fn here_and_in_the_shell_it_comes_out_the_same() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let path = directory.path().join("file").to_str().expect("it is UTF-8").to_owned();
        let block = TextBlock {
            path: Box::leak(path.clone().into_boxed_str()),
            name: "x".into(),
            lines: Vec::new(),
        };
        let own = "# begin pallet x\none\n# end pallet x\n";
        for shell in shells() {
            for lines in [vec![], vec!["one"], vec!["it's $HOME \\n", "two"]] {
                let block = TextBlock {
                    lines: lines.iter().map(|line| (*line).to_owned()).collect(),
                    ..block.clone()
                };
                for old in [
                    "",
                    "a",
                    "a\n\nb\n",
                    own,
                    "a\n# begin pallet x\n# end pallet x\nb",
                    "# end pallet x\n",
                    "# begin pallet x\n",
                    "a\\\n ",
                    "a\r\n# begin pallet x\r\none\r\n# end pallet x\r\n",
                    "a\r\nb",
                ] {
                    std::fs::write(&path, old).expect("it can be written");
                    let call = Script::new().call(
                        ["ensure_block", &path, "x"].into_iter().chain(lines.iter().copied()),
                    );
                    let output = shell.run(&format!(
                        "{{\n{LIBRARY}\n( set -e; change=\n\
                        {}\n[ -z \"$change\" ] || exit 9 ) </dev/null\n}}",
                        call.as_str()
                    ));
                    let text = std::fs::read_to_string(&path).expect("it is there");
                    match block.applied(old) {
                        Ok(Some(new)) => assert_eq!(
                            (text, output.status.code()),
                            (new, Some(9)),
                            "{shell}: {old:?} {lines:?}"
                        ),
                        Ok(None) => assert_eq!(
                            (text.as_str(), output.status.code()),
                            (old, Some(0)),
                            "{shell}: {old:?} {lines:?}"
                        ),
                        Err(error) => assert_eq!(
                            String::from_utf8_lossy(&output.stderr),
                            format!("{error}\n"),
                            "{shell}: {old:?}"
                        ),
                    }
                }
            }
        }
    }
}

//! The owner and group of a directory and everything in it.

use super::Change;
use crate::model::Known;
use crate::observe::{Attributes, FileState, NodeState, Observation, Reading};
use crate::script::{Script, quote};

/// The wanted owner and group of a directory tree; unchanged if neither is given.
pub(super) struct Ownership<'a> {
    pub(super) path: &'a str,
    pub(super) owner: Option<&'a str>,
    pub(super) group: Option<&'a str>,
}

impl<'a> Ownership<'a> {
    pub(super) fn new(path: &'a str, owner: &'a Option<String>, group: &'a Option<String>) -> Self {
        Ownership { path, owner: owner.as_deref(), group: group.as_deref() }
    }

    /// A command that prints an entry with another owner or group; it fails if there is no such
    /// user or group.
    fn question(&self) -> Option<String> {
        let conditions = [("-user", self.owner), ("-group", self.group)];
        let conditions: Vec<_> = conditions
            .into_iter()
            .filter_map(|(what, name)| Some(format!("! {what} {}", quote(name?))))
            .collect();
        let conditions =
            Some(conditions.join(" -o ")).filter(|conditions| !conditions.is_empty())?;
        Some(format!("find {} \\( {conditions} \\) -print -quit", quote(self.path)))
    }

    pub(super) fn observe(&self, wanted: &mut Observation) {
        if let Some(question) = self.question() {
            wanted.reading_of(&self.below(), &question);
        }
    }

    /// The script that sets owner and group.
    pub(super) fn script(&self) -> Script {
        match self.question() {
            None => Script::new(),
            Some(_) => Script::new().call([
                "ensure_owners",
                self.path,
                self.owner.unwrap_or_default(),
                self.group.unwrap_or_default(),
            ]),
        }
    }

    /// Adds to `change`, which already includes this script, or plans `script` alone. `there`:
    /// whether the directory exists, if known.
    pub(super) fn plan(
        &self,
        node: &mut NodeState,
        there: Known<bool>,
        change: Option<Change>,
        script: Script,
    ) -> Option<Change> {
        let Some(question) = self.question() else { return change };
        let right = match (there, node.reading(&question)) {
            (Known::Known(false), _) => Some(true),
            (Known::Known(true), Known::Known(Reading { exit: 0, output, .. })) => {
                Some(output.is_empty())
            }
            _ => None,
        };
        let change = match (right, change) {
            (Some(true), change) => change,
            (_, Some(change)) => Some(change),
            (Some(false), None) => {
                Some(Change::will("change owner or group of what is in it", script))
            }
            (None, None) => Some(Change::may("ensure owner and group of what is in it", script)),
        };
        if right != Some(true) {
            self.forget(node);
        }
        self.remember(node);
        change
    }

    /// Forgets the known state of files below the directory.
    fn forget(&self, node: &mut NodeState) {
        let directory = node.file(self.path).cloned();
        node.forget_files_below(self.path);
        if let Known::Known(FileState::Directory(attributes)) = directory {
            let theirs = Attributes {
                owner: self.owner.map(str::to_owned),
                group: self.group.map(str::to_owned),
                mode: None,
            };
            node.set_file(self.path, FileState::Directory(theirs.or(&attributes)));
        }
    }

    /// Records that everything in the directory has this owner and group.
    pub(super) fn remember(&self, node: &mut NodeState) {
        if let Some(question) = self.question() {
            node.set_reading(
                &question,
                Reading { exit: 0, output: String::new(), of: Some(self.below()) },
            );
        }
    }

    fn below(&self) -> String {
        format!("{}/", self.path)
    }
}

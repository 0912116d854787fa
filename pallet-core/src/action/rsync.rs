//! Mirrors a directory of the project on a node. No-op: all of its files exist, with their content
//! and modes.

mod others;

use std::collections::BTreeSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::others::Others;
use super::directory::{Directory, SYSTEM};
use super::file_support::{attributes, require_absolute};
use super::remote_file::plan::FilePlan;
use super::remote_file::source::{Content, ContentSource};
use super::{Action, ActionError, Certainty, Change, Claims, Upload, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::Script;

/// How much content is kept in memory to be embedded in the script, in bytes; the rest is uploaded
/// file by file.
const AT_HAND: usize = 2 * 1024 * 1024;

/// Ensures that a directory has all files of a directory of the project.
///
/// With `delete`, it has nothing else.
///
/// Does nothing if all files have the same content and modes, and the given owner and group. Only
/// files whose content differs are sent, over Pallet's own connection: the program rsync is not
/// needed on either side. Links in the project are followed. Files that are executable in the
/// project get the mode `0755`, others `0644`. Names that contain a newline are ignored.
///
/// A file whose content was changed by hand since Pallet wrote it is reported and kept, unless
/// `overwrite_changes` is set.
///
/// Example: `rsync(request, "site", "/srv/www", delete = True, exclude = ["*.tmp", ".git"])`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rsync {
    /// Directory of the project.
    pub local_directory: String,
    /// Absolute path of the directory on the node.
    pub path: String,
    /// Delete everything from the node's directory that is not in the project's.
    #[serde(default)]
    pub delete: bool,
    /// Names of files and directories to ignore on both sides, at any depth; `*` matches any
    /// characters, `?` matches one.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Owner name. New files and directories belong to root.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group name. New files and directories belong to the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions of all files, in octal, instead of `"0755"` or `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Permissions of all directories, in octal. New directories get `"0755"`.
    #[serde(default)]
    pub directory_mode: Option<String>,
    /// Overwrite content that was changed by hand.
    #[serde(default)]
    pub overwrite_changes: bool,
    #[serde(skip)]
    entries: Option<Vec<ProjectFile>>,
}

/// A file or a directory of the project.
#[derive(Debug, Clone, PartialEq)]
struct ProjectFile {
    /// The path in the directory.
    name: String,
    executable: bool,
    /// The content of a file.
    source: Option<ContentSource>,
}

impl Rsync {
    /// The directory at `path` has the files of a directory of the project.
    pub fn new(local_directory: impl Into<String>, path: impl Into<String>) -> Self {
        Rsync { local_directory: local_directory.into(), path: path.into(), ..Self::default() }
    }

    /// Delete everything else from the directory.
    pub fn delete(mut self) -> Self {
        self.delete = true;
        self
    }

    /// Ignore files and directories with these names.
    pub fn exclude<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.exclude = names.into_iter().map(Into::into).collect();
        self
    }

    super::builders::attribute_builders!();

    /// Overwrite changes made by hand.
    pub fn overwrite_changes(mut self) -> Self {
        self.overwrite_changes = true;
        self
    }

    fn read(&self, workspace: &dyn Workspace) -> Result<Vec<ProjectFile>, ActionError> {
        let directory = Path::new(&self.local_directory);
        let mut at_hand = 0;
        let mut entries = Vec::new();
        for listed in workspace.list(directory)? {
            if others::is_excluded(&self.exclude, &listed.path) {
                continue;
            }
            if listed.path.contains('\n') {
                let message = format!(
                    "the name {:?} in {} holds a newline; exclude it",
                    listed.path, self.local_directory
                );
                return Err(ActionError::arguments(Self::NAME, message));
            }
            let source = match listed.directory {
                true => None,
                false => {
                    let content = Content::of_file(
                        workspace,
                        &directory.join(&listed.path),
                        at_hand < AT_HAND,
                    )?;
                    at_hand += content.size();
                    Some(ContentSource::Content(content))
                }
            };
            entries.push(ProjectFile { name: listed.path, executable: listed.executable, source });
        }
        Ok(entries)
    }

    fn entries(&self) -> Result<&[ProjectFile], ActionError> {
        let entries = self.entries.as_deref();
        entries.ok_or_else(|| {
            ActionError::arguments(
                Self::NAME,
                format!("the files of {} were not prepared", self.local_directory),
            )
        })
    }

    fn at(&self, name: &str) -> String {
        format!("{}/{name}", if self.path == "/" { "" } else { &self.path })
    }

    fn others(&self) -> Others<'_> {
        let names = self.entries.iter().flatten().map(|entry| entry.name.as_str()).collect();
        Others { path: &self.path, exclude: &self.exclude, names }
    }

    /// The change of one file or directory.
    fn change(
        &self,
        entry: &ProjectFile,
        node: &mut NodeState,
    ) -> Result<Option<Change>, ActionError> {
        let path = self.at(&entry.name);
        let Some(source) = &entry.source else { return self.directory(path).plan(node) };
        let mut wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        wanted.mode = wanted.mode.or(Some(if entry.executable { 0o755 } else { 0o644 }));
        let overwrite = self.overwrite_changes || node.overwrite_changes;
        // the project keeps older versions itself
        let max_versions = Some(0);
        let plan = FilePlan { path: &path, source, wanted, verify: None, max_versions, overwrite };
        plan.change(node)
    }

    fn directory(&self, path: String) -> Directory {
        let (owner, group, mode) =
            (self.owner.clone(), self.group.clone(), self.directory_mode.clone());
        Directory { owner, group, mode, ..Directory::at(path) }
    }
}

/// Sums up the changes of many files.
#[derive(Default)]
struct ChangeTotal {
    script: Script,
    diff: String,
    uploads: Vec<Upload>,
    sure: bool,
    drifted: usize,
    /// The numbers of created, changed, possibly changed, and deleted entries.
    counts: [usize; 4],
}

impl ChangeTotal {
    fn add(&mut self, name: &str, created: bool, change: Change) {
        let line = match (created, change.certainty) {
            (_, Certainty::Drifted) => {
                self.drifted += 1;
                self.script = std::mem::take(&mut self.script).raw("drifted");
                format!("  {name}: {}, and kept\n", change.summary)
            }
            (true, _) => {
                self.counts[0] += 1;
                format!("+ {name}\n")
            }
            (false, certainty) => {
                self.counts[if certainty == Certainty::Will { 1 } else { 2 }] += 1;
                format!("  {name}: {}\n", change.summary)
            }
        };
        self.sure |= change.certainty == Certainty::Will;
        self.diff.push_str(&line);
        if !created {
            self.diff.push_str(&change.diff);
        }
        self.script = std::mem::take(&mut self.script).and(change.script);
        self.uploads.extend(change.uploads);
    }

    fn change(self) -> Option<Change> {
        let words = ["create", "change", "ensure", "delete"];
        let counts: Vec<_> = words
            .iter()
            .zip(self.counts)
            .filter(|(_, count)| *count > 0)
            .map(|(word, n)| format!("{word} {n}"))
            .collect();
        let change = match (counts.is_empty(), self.drifted) {
            (true, 0) => return None,
            (true, drifted) => Change::drifted(format!("content of {drifted} changed by hand")),
            (false, _) if self.sure => Change::will(counts.join(", "), self.script),
            (false, _) => Change::may(counts.join(", "), self.script),
        };
        Some(Change { uploads: self.uploads, ..change.with_diff(self.diff) })
    }
}

impl Action for Rsync {
    const NAME: &'static str = "rsync";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        if self.delete && SYSTEM.contains(&self.path.as_str()) {
            let message = format!(
                "{} is a part of the system, and what is in it is not deleted; omit delete",
                self.path
            );
            return Err(ActionError::arguments(Self::NAME, message));
        }
        if let Some(name) = self
            .exclude
            .iter()
            .find(|name| name.is_empty() || name.contains(['/', '\n', '\0', '[', '\\']))
        {
            let message = format!(
                "{name:?} in exclude is not a name, with `*` and `?` at most; a \
                path cannot be excluded"
            );
            return Err(ActionError::arguments(Self::NAME, message));
        }
        for mode in [&self.mode, &self.directory_mode] {
            attributes(Self::NAME, &self.owner, &self.group, mode)?;
        }
        self.entries = Some(self.read(workspace)?);
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        claims.path(&self.path, "a directory");
        self.owner.iter().for_each(|owner| claims.user(owner));
        self.group.iter().for_each(|group| claims.group(group));
        if self.delete {
            let names: BTreeSet<String> =
                self.entries.iter().flatten().map(|entry| entry.name.clone()).collect();
            let exclude = self.exclude.clone();
            claims.only_in(&self.path, move |name| {
                names.contains(name) || others::is_excluded(&exclude, name)
            });
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.below(&self.path);
        needed.local_directory(&self.local_directory);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
        for entry in self.entries.iter().flatten() {
            match entry.source.as_ref().and_then(ContentSource::digest) {
                Some(digest) => wanted.content(&self.at(&entry.name), digest),
                None => wanted.file(&self.at(&entry.name)),
            }
        }
        if self.delete {
            wanted.reading_of(&format!("{}/", self.path), &self.others().question());
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let entries = self.entries()?;
        let there = match node.file(&self.path) {
            Known::Known(state) => Known::Known(*state != FileState::Absent),
            Known::Unknown => Known::Unknown,
        };
        let found = self.others().found(node, &there);
        let mut sum = ChangeTotal::default();
        if let Some(change) = self.directory(self.path.clone()).plan(node)? {
            sum.add(".", there == Known::Known(false), change);
        }
        for entry in entries {
            let path = self.at(&entry.name);
            // a directory that does not exist is empty
            if there == Known::Known(false) && node.file(&path) == Known::Unknown {
                node.set_file(&path, FileState::Absent);
            }
            let new = matches!(node.file(&path), Known::Known(FileState::Absent));
            if let Some(change) = self.change(entry, node)? {
                sum.add(&entry.name, new, change);
            }
        }
        if self.delete {
            match self.others().plan(node, found) {
                Some(deleted) if deleted.is_empty() => {}
                Some(deleted) => {
                    sum.sure = true;
                    sum.counts[3] = deleted.len();
                    sum.diff.extend(deleted.iter().map(|name| format!("- {name}\n")));
                    sum.script = sum.script.and(self.others().script());
                }
                None => {
                    sum.counts[2] += 1;
                    sum.diff.push_str("  what else is there is deleted\n");
                    sum.script = sum.script.and(self.others().script());
                }
            }
        }
        Ok(sum.change())
    }
}

#[cfg(test)]
mod tests;

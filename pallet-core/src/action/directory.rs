//! Ensures a directory. No-op: it is there with the wanted owner, group and mode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::file_support::{Existence, attribute_words, attributes, kind, new_attributes, parent, plan_delete, plan_file, require_absolute};
use super::{Action, ActionError, Change, Workspace};
use crate::model::{Attributes, FileState, Known, NodeState, Observation};
use crate::script::Script;

/// Ensures that a directory exists, with its parents, or that it does not.
///
/// Example: `directory(request, "/srv/app", owner = "app", mode = "0750")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Directory {
    /// The absolute path.
    pub path: String,
    /// The owner's name.
    #[serde(default)]
    pub owner: Option<String>,
    /// The group's name.
    #[serde(default)]
    pub group: Option<String>,
    /// The permissions, in octal: `"0755"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// `create`, or `delete` with all that is in it.
    #[serde(default)]
    pub action: Existence,
}

/// What no node does without.
const SYSTEM: &[&str] =
    &["/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/tmp", "/usr", "/var"];

impl Directory {
    /// A directory at `path`.
    pub fn at(path: impl Into<String>) -> Self {
        Directory { path: path.into(), owner: None, group: None, mode: None, action: Existence::Create }
    }

    attribute_builders!();

    /// No such directory.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }
}

impl Action for Directory {
    const NAME: &'static str = "directory";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        if self.action == Existence::Delete && SYSTEM.contains(&self.path.as_str()) {
            return Err(ActionError::arguments(Self::NAME, format!("{} is a part of the system and is not deleted", self.path)));
        }
        attributes(Self::NAME, &self.owner, &self.group, &self.mode).map(drop)
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        if self.action == Existence::Delete {
            return Ok(plan_delete(node, &self.path));
        }
        let wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        let attributes = match node.file(&self.path) {
            Known::Known(FileState::Directory(current)) => wanted.or(current),
            Known::Known(FileState::Absent) => new_attributes(node, &wanted, 0o755),
            Known::Known(other) => {
                let message = format!("{} is a {}, not a directory; delete it with file({0:?}, action = \"delete\") before", self.path, kind(other));
                return Err(ActionError::node(message));
            }
            Known::Unknown => wanted.clone(),
        };
        let call = ["ensure_directory", &self.path].map(str::to_owned).into_iter().chain(attribute_words(&wanted));
        let change = plan_file(node, &self.path, FileState::Directory(attributes), Script::new().call(call))?;
        // its parents come along
        let mut path = self.path.as_str();
        while let Some(above) = parent(path).filter(|above| node.file(above) == Known::Known(&FileState::Absent)) {
            node.set_file(above, FileState::Directory(Attributes::default()));
            path = above;
        }
        Ok(change)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    #[test]
    fn creates_what_is_missing() {
        check(
            Directory::at("/srv").mode(0o750),
            node().without_file("/srv"),
            expect![[r#"
                will create directory
                + directory root:root 0750
                ---
                ensure_directory /srv '' '' 0750
            "#]],
        );
    }

    #[test]
    fn the_system_is_not_deleted() {
        check(Directory::at("/usr").absent(), node(), expect!["error: directory: /usr is a part of the system and is not deleted"]);
    }

    #[test]
    fn leaves_what_is_right() {
        check(Directory::at("/srv").mode(0o750), node().directory("/srv", 0o750), expect!["nothing to do"]);
    }
}

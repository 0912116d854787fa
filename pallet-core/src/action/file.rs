//! Ensures a file whatever its content, or that there is none. No-op: it exists with the wanted
//! owner, group and mode; touch always acts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::file_support::{
    attribute_words, attributes, kind, new_attributes, only_of_kind, parent, plan_delete,
    plan_file, require_absolute,
};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known, digest};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::Script;

/// Ensures that a file exists, whatever its content, or that its path does not exist.
///
/// Example: `file(request, "/var/log/app.log", owner = "app", mode = "0640")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Absolute path.
    pub path: String,
    /// What to do.
    #[serde(default)]
    pub action: FileAction,
    /// Owner name. New files belong to root.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group name. New files belong to the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions in octal. New files get `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
}

/// What to do with a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileAction {
    /// It is there; a new one is empty.
    #[default]
    Create,
    /// It is there, and its time is set to now.
    Touch,
    /// Nothing is there: neither a file nor a directory with all that is in it.
    Delete,
}

impl File {
    /// A file at `path`.
    pub fn at(path: impl Into<String>) -> Self {
        File { path: path.into(), action: FileAction::Create, owner: None, group: None, mode: None }
    }

    attribute_builders!();

    /// Set its modification time to now.
    pub fn touch(mut self) -> Self {
        self.action = FileAction::Touch;
        self
    }

    /// The file must not exist.
    pub fn absent(mut self) -> Self {
        self.action = FileAction::Delete;
        self
    }
}

impl Action for File {
    const NAME: &'static str = "file";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        attributes(Self::NAME, &self.owner, &self.group, &self.mode).map(drop)
    }

    fn claims(&self, claims: &mut Claims) {
        claims
            .path(&self.path, if self.action == FileAction::Delete { "nothing" } else { "a file" });
        if let (Ok(wanted), true) = (
            attributes(Self::NAME, &self.owner, &self.group, &self.mode),
            self.action != FileAction::Delete,
        ) {
            claims.attributes(&self.path, &wanted);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
        if let Some(parent) = parent(&self.path).filter(|_| self.action != FileAction::Delete) {
            wanted.file(parent);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        if self.action == FileAction::Delete {
            return Ok(plan_delete(node, &self.path));
        }
        let wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        let state = match node.file(&self.path) {
            Known::Known(FileState::File { digest, text, attributes }) => FileState::File {
                digest: digest.clone(),
                text: text.clone(),
                attributes: wanted.or(attributes),
            },
            Known::Known(FileState::Absent) => FileState::File {
                digest: Some(digest(b"")),
                text: Some(String::new()),
                attributes: new_attributes(node, &wanted, 0o644),
            },
            Known::Known(other) => {
                return Err(ActionError::node(format!(
                    "{} is a {}, not a file; delete it with action = \"delete\" before",
                    self.path,
                    kind(other)
                )));
            }
            Known::Unknown => {
                FileState::File { digest: None, text: None, attributes: wanted.clone() }
            }
        };
        let words = ["ensure_file", &self.path]
            .map(str::to_owned)
            .into_iter()
            .chain(attribute_words(&wanted));
        let script = only_of_kind(node, &self.path, "file", Script::new().call(words));
        if self.action == FileAction::Create {
            return plan_file(node, &self.path, state, script);
        }
        let script = script.call(["touch_file", &self.path]);
        let change = plan_file(node, &self.path, state, script.clone())?;
        Ok(Some(Change {
            diff: change.map(|change| change.diff).unwrap_or_default(),
            ..Change::will("touch", script)
        }))
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
            File::at("/var/log/app.log").owner("app").mode(0o640),
            node().without_file("/var/log/app.log"),
            expect![[r#"
                will create file
                + file app:root 0640
                ---
                ensure_file /var/log/app.log app '' 0640
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            File::at("/etc/motd"),
            node().file("/etc/motd", "hello", 0o600),
            expect!["nothing to do"],
        );
        check(
            File::at("/etc/motd").absent(),
            node().without_file("/etc/motd"),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn touch_always_acts() {
        check(
            File::at("/etc/motd").touch().mode(0o600),
            node().file("/etc/motd", "hello", 0o644),
            expect![[r#"
                will touch
                - file root:root 0644
                + file root:root 0600
                ---
                ensure_file /etc/motd '' '' 0600
                touch_file /etc/motd
            "#]],
        );
    }

    #[test]
    fn deletes() {
        check(
            File::at("/etc/motd").absent(),
            node().file("/etc/motd", "hello\n", 0o644),
            expect![[r#"
                will delete file
                - file root:root 0644
                @@ -1 +0,0 @@
                -hello
                ---
                ensure_absent /etc/motd
            "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            File::at("/etc/motd"),
            node(),
            expect![[r#"
                may ensure file
                ---
                require_kind /etc/motd file
                ensure_file /etc/motd '' '' ''
            "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            File::at("etc/motd"),
            node(),
            expect![[r#"error: file: the path "etc/motd" is not absolute; write it from /"#]],
        );
        check(
            File::at("/srv"),
            node().directory("/srv", 0o755),
            expect![[
                r#"error: /srv is a directory, not a file; delete it with action = "delete" before"#
            ]],
        );
    }
}

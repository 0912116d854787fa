//! Ensures a named pipe. No-op: it exists with the wanted owner, group and mode.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::file_support::{
    Existence, attribute_words, attributes, kind, new_attributes, parent, plan_delete_of,
    plan_file, require_absolute,
};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::Script;

/// Ensures that a named pipe exists, or that its path does not exist.
///
/// Does nothing if the pipe exists with the given owner, group and mode.
///
/// Example: `fifo(request, "/run/app/commands", owner = "app", mode = "0600")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fifo {
    /// Absolute path.
    pub path: String,
    /// Owner name. New pipes belong to root.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group name. New pipes belong to the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions in octal. New pipes get `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// `create` or `delete`.
    #[serde(default)]
    pub action: Existence,
}

impl Fifo {
    /// A named pipe at `path`.
    pub fn at(path: impl Into<String>) -> Self {
        Fifo { path: path.into(), owner: None, group: None, mode: None, action: Existence::Create }
    }

    attribute_builders!();

    /// The pipe must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }
}

impl Action for Fifo {
    const NAME: &'static str = "fifo";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        attributes(Self::NAME, &self.owner, &self.group, &self.mode).map(drop)
    }

    fn claims(&self, claims: &mut Claims) {
        claims.path(
            &self.path,
            if self.action == Existence::Delete { "nothing" } else { "a named pipe" },
        );
        if let (Ok(wanted), Existence::Create) =
            (attributes(Self::NAME, &self.owner, &self.group, &self.mode), self.action)
        {
            claims.attributes(&self.path, &wanted);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
        if let Some(parent) = parent(&self.path).filter(|_| self.action == Existence::Create) {
            wanted.file(parent);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        let attributes = match node.file(&self.path) {
            Known::Known(FileState::Fifo(current)) => wanted.or(current),
            Known::Known(FileState::Absent) => new_attributes(node, &wanted, 0o644),
            Known::Known(other) => {
                let message = format!(
                    "{} is a {}, not a named pipe; delete it with file({0:?}, \
                    action = \"delete\") before",
                    self.path,
                    kind(other)
                );
                return Err(ActionError::node(message));
            }
            Known::Unknown => wanted.clone(),
        };
        if self.action == Existence::Delete {
            return Ok(plan_delete_of(node, &self.path, "pipe"));
        }
        let words = ["ensure_fifo", &self.path]
            .map(str::to_owned)
            .into_iter()
            .chain(attribute_words(&wanted));
        plan_file(node, &self.path, FileState::Fifo(attributes), Script::new().call(words))
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
            Fifo::at("/run/app").owner("app").mode(0o600),
            node().without_file("/run/app"),
            expect![[r#"
            will create named pipe
            + named pipe app:root 0600
            ---
            ensure_fifo /run/app app '' 0600
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(Fifo::at("/run/app"), node().fifo("/run/app", 0o600), expect!["nothing to do"]);
        check(
            Fifo::at("/run/app").mode(0o640),
            node().fifo("/run/app", 0o600),
            expect![[r#"
            will change owner or mode
            - named pipe root:root 0600
            + named pipe root:root 0640
            ---
            ensure_fifo /run/app '' '' 0640
        "#]],
        );
        check(
            Fifo::at("/run/app").absent(),
            node().without_file("/run/app"),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn deletes() {
        check(
            Fifo::at("/run/app").absent(),
            node().fifo("/run/app", 0o600),
            expect![[r#"
            will delete named pipe
            - named pipe root:root 0600
            ---
            ensure_absent /run/app
        "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Fifo::at("/run/app"),
            node(),
            expect![[r#"
            may ensure named pipe
            ---
            ensure_fifo /run/app '' '' ''
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Fifo::at("run/app"),
            node(),
            expect![[r#"error: fifo: the path "run/app" is not absolute; write it from /"#]],
        );
        check(
            Fifo::at("/run/app"),
            node().file("/run/app", "", 0o644),
            expect![[
                r#"error: /run/app is a file, not a named pipe; delete it with file("/run/app", action = "delete") before"#
            ]],
        );
        check(
            Fifo::at("/run/app"),
            node().without_file("/run"),
            expect![[
                r#"error: there is no directory /run for /run/app; declare directory("/run") before it"#
            ]],
        );
    }
}

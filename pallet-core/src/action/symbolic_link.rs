//! Ensures a symbolic link. No-op: it exists and points to the wanted target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file_support::{
    Existence, kind, link_target, parent, plan_delete_of, plan_file, require_absolute,
};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{FileState, NodeState, Observation};
use crate::script::Script;

/// Ensures that a symbolic link exists, or that its path does not exist.
///
/// Example: `symbolic_link(request, "/etc/nginx/sites-enabled/hello", target = "../sites-available/hello")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SymbolicLink {
    /// Absolute path of the link.
    pub path: String,
    /// Target, as written in the link: absolute, or relative to the directory of the link. Not
    /// needed for `delete`.
    #[serde(default)]
    pub target: Option<String>,
    /// Allow the link to replace a file.
    #[serde(default)]
    pub force: bool,
    /// `create`, or `delete` the link. The target is kept.
    #[serde(default)]
    pub action: Existence,
}

impl SymbolicLink {
    /// A link at `path` to `target`.
    pub fn new(path: impl Into<String>, target: impl Into<String>) -> Self {
        SymbolicLink {
            path: path.into(),
            target: Some(target.into()),
            force: false,
            action: Existence::Create,
        }
    }

    /// Replaces a file, if there is one.
    pub fn force(mut self) -> Self {
        self.force = true;
        self
    }

    /// The link must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }

    fn target(&self) -> Result<&str, ActionError> {
        match self.target.as_deref() {
            Some(target) if !target.is_empty() && !target.contains('\0') => Ok(target),
            _ => Err(ActionError::arguments(
                Self::NAME,
                format!("{} needs a target to point to", self.path),
            )),
        }
    }
}

impl Action for SymbolicLink {
    const NAME: &'static str = "symbolic_link";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        if self.action == Existence::Create { self.target().map(drop) } else { Ok(()) }
    }

    fn claims(&self, claims: &mut Claims) {
        let target = self.target.as_deref().filter(|_| self.action == Existence::Create);
        claims.path(
            &self.path,
            &target.map_or_else(|| "nothing".to_owned(), |target| format!("a link to {target}")),
        );
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
        self.target.iter().for_each(|target| needed.path(&link_target(&self.path, target)));
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.file(&self.path);
        if let Some(parent) = parent(&self.path).filter(|_| self.action == Existence::Create) {
            wanted.file(parent);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let current = node.file(&self.path).cloned();
        match (&current, self.action) {
            (Known::Known(FileState::Absent | FileState::Link { .. }) | Known::Unknown, _) => {}
            (Known::Known(FileState::File { .. }), Existence::Create) if self.force => {}
            (Known::Known(other), _) => {
                let message = format!(
                    "{} is a {}, not a link; delete it with file({0:?}, action = \
                    \"delete\") before",
                    self.path,
                    kind(other)
                );
                return Err(ActionError::node(message));
            }
        }
        if self.action == Existence::Delete {
            return Ok(plan_delete_of(node, &self.path, "link"));
        }
        let target = self.target()?;
        let force = if self.force { "force" } else { "" };
        let script = Script::new().call(["ensure_link", &self.path, target, force]);
        plan_file(node, &self.path, FileState::Link { target: target.to_owned() }, script)
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
            SymbolicLink::new("/etc/app/current", "v 2"),
            node().without_file("/etc/app/current"),
            expect![[r#"
                will create link
                + link to v 2
                ---
                ensure_link /etc/app/current 'v 2' ''
            "#]],
        );
        check(
            SymbolicLink::new("/etc/app/current", "v2"),
            node().link("/etc/app/current", "v1"),
            expect![[r#"
                will change target
                - link to v1
                + link to v2
                ---
                ensure_link /etc/app/current v2 ''
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(
            SymbolicLink::new("/etc/app/current", "v2"),
            node().link("/etc/app/current", "v2"),
            expect!["nothing to do"],
        );
        check(
            SymbolicLink::new("/etc/app/current", "v2").absent(),
            node().without_file("/etc/app/current"),
            expect!["nothing to do"],
        );
    }

    #[test]
    fn a_file_gives_way_only_if_told_to() {
        check(
            SymbolicLink::new("/etc/motd", "/run/motd"),
            node().file("/etc/motd", "", 0o644),
            expect![[
                r#"error: /etc/motd is a file, not a link; delete it with file("/etc/motd", action = "delete") before"#
            ]],
        );
        check(
            SymbolicLink::new("/etc/motd", "/run/motd").force(),
            node().file("/etc/motd", "hello\n", 0o644),
            expect![[r#"
                will replace file by link
                - file root:root 0644
                + link to /run/motd
                - content with SHA-256 5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03
                ---
                ensure_link /etc/motd /run/motd force
            "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            SymbolicLink::new("/etc/motd", "/run/motd"),
            node(),
            expect![[r#"
                may ensure link
                + link to /run/motd
                ---
                ensure_link /etc/motd /run/motd ''
            "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            SymbolicLink::new("/a", ""),
            node(),
            expect!["error: symbolic_link: /a needs a target to point to"],
        );
        check(
            SymbolicLink::new("/a/../b", "c"),
            node(),
            expect![[
                r#"error: symbolic_link: the path "/a/../b" holds `.` or `..`; write it without"#
            ]],
        );
    }
}

//! Ensures a user group. No-op: the group exists, with the wanted ID if one is given.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::account_name::require_account_name;
use super::{Action, ActionError, Change, Claims, Existence, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{GroupState, NodeState, Observation};
use crate::script::Script;

/// Ensures that a group exists, or that it does not exist.
///
/// Example: `group(request, "app", system = True)`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Group name.
    pub name: String,
    /// Numeric ID.
    #[serde(default)]
    pub gid: Option<u32>,
    /// Create a new group as a system group (system GID).
    #[serde(default)]
    pub system: bool,
    /// `create` or `delete`.
    #[serde(default)]
    pub action: Existence,
}

impl Group {
    /// A group with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Group { name: name.into(), gid: None, system: false, action: Existence::Create }
    }

    /// With this numeric ID.
    pub fn gid(mut self, gid: u32) -> Self {
        self.gid = Some(gid);
        self
    }

    /// A system group.
    pub fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// The group must not exist.
    pub fn absent(mut self) -> Self {
        self.action = Existence::Delete;
        self
    }
}

impl Action for Group {
    const NAME: &'static str = "group";

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_account_name(Self::NAME, &self.name)
    }

    fn claims(&self, claims: &mut Claims) {
        claims.value(
            format!("whether there is a group {}", self.name),
            "",
            (self.action == Existence::Create).to_string(),
        );
        if let Some(gid) = self.gid {
            claims.value(format!("the number of the group {}", self.name), "", gid.to_string());
            claims.value(format!("whose the number {gid} of a group is"), "", &self.name);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.user(&self.name);
    }

    fn observe(&self, wanted: &mut Observation) {
        wanted.group(&self.name);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let current = node.group(&self.name).cloned();
        if self.action == Existence::Delete {
            let script = Script::new().call(["ensure_no_group", &self.name]);
            let change = match current {
                Known::Known(None) => return Ok(None),
                Known::Known(Some(_)) => Change::will("remove group", script),
                Known::Unknown => Change::may("ensure there is no such group", script),
            };
            // its files no longer have a named group, and users lose the membership
            node.forget_membership(&self.name);
            node.set_group(&self.name, None);
            return Ok(Some(change));
        }
        let gid = self.gid.map(|gid| gid.to_string()).unwrap_or_default();
        let system = if self.system { "system" } else { "" };
        let script = Script::new().call(["ensure_group", &self.name, &gid, system]);
        let change = match current {
            Known::Known(Some(group)) if self.gid.is_none() || group.gid == self.gid => {
                return Ok(None);
            }
            Known::Known(Some(GroupState { gid: Some(old) })) => {
                // files with the old ID belong to another group now
                node.forget_membership(&self.name);
                Change::will("change gid", script).with_diff(format!("- gid {old}\n+ gid {gid}\n"))
            }
            Known::Known(None) => Change::will("create group", script),
            Known::Known(Some(_)) | Known::Unknown => {
                let gid = self.gid.map(|gid| format!("+ gid {gid}\n")).unwrap_or_default();
                Change::may("ensure group", script).with_diff(gid)
            }
        };
        node.set_group(&self.name, Some(GroupState { gid: self.gid }));
        Ok(Some(change))
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
            Group::new("app").gid(900).system(),
            node().without_group("app"),
            expect![[r#"
            will create group
            ---
            ensure_group app 900 system
        "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        check(Group::new("app"), node().group("app", 900), expect!["nothing to do"]);
        check(Group::new("app").gid(900), node().group("app", 900), expect!["nothing to do"]);
        check(Group::new("app").absent(), node().without_group("app"), expect!["nothing to do"]);
    }

    #[test]
    fn changes_and_removes() {
        check(
            Group::new("app").gid(901),
            node().group("app", 900),
            expect![[r#"
            will change gid
            - gid 900
            + gid 901
            ---
            ensure_group app 901 ''
        "#]],
        );
        check(
            Group::new("app").absent(),
            node().group("app", 900),
            expect![[r#"
            will remove group
            ---
            ensure_no_group app
        "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            Group::new("app"),
            node(),
            expect![[r#"
            may ensure group
            ---
            ensure_group app '' ''
        "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        check(
            Group::new("a b"),
            node(),
            expect![[r#"error: group: "a b" is not a name that a user or group can have"#]],
        );
    }
}

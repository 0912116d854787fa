//! Ensures that an address has names in /etc/hosts, or that it does not. No-op: each name stands on
//! a line of the address.

mod table;

use std::collections::BTreeSet;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::table::{How, edited, form};
use super::edit::{Edit, Missing};
use super::line_in_file::LineAction;
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{Attributes, NodeState, Observation};
use crate::script::Script;

/// Ensures that an address has names in `/etc/hosts`, or that it does not. Does nothing if each
/// name stands on a line of the address.
///
/// Names that are missing go to the line of the address that has one of the others, in front of
/// those that are not declared; if there is none, to a new line. The first name is the canonical
/// one: what a program gets that looks up the address. Lines of other addresses, also those with
/// the same names, comments and the order of lines are kept.
///
/// Example: `hosts_entry(request, "10.0.0.5", ["db.example.com", "db"])`
///
/// Example: `hosts_entry(request, "10.0.0.5", ["old-db"], action = "absent")`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostsEntry {
    /// IPv4 or IPv6 address.
    pub address: String,
    /// Host names, the canonical one first. Their case does not matter. With `action = "absent"`,
    /// omit them to remove every line of the address.
    #[serde(default)]
    pub names: Vec<String>,
    /// `present` or `absent`.
    #[serde(default)]
    pub action: LineAction,
    /// Remove all other names of the address: it gets one line, with these names in this order.
    #[serde(default)]
    pub exclusive: bool,
}

const TABLE: &str = "/etc/hosts";

impl HostsEntry {
    /// An address with these names.
    pub fn new<S: Into<String>>(
        address: impl Into<String>,
        names: impl IntoIterator<Item = S>,
    ) -> Self {
        HostsEntry {
            address: address.into(),
            names: names.into_iter().map(Into::into).collect(),
            action: LineAction::Present,
            exclusive: false,
        }
    }

    /// As the only names of the address.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// The address must not have the names; without names, it must have no line.
    pub fn absent(mut self) -> Self {
        self.action = LineAction::Absent;
        self
    }

    fn how(&self) -> How {
        match self.action {
            LineAction::Absent => How::Absent,
            LineAction::Present if self.exclusive => How::Only,
            LineAction::Present => How::Present,
        }
    }

    fn edit(&self) -> Edit<'_> {
        let missing = match self.action {
            LineAction::Present => Missing::Create,
            LineAction::Absent => Missing::Leave,
        };
        Edit::of(TABLE, missing, Attributes::default())
    }

    fn script(&self, edit: &Edit<'_>) -> Script {
        let words: Vec<&str> = [self.how().word(), &self.address]
            .into_iter()
            .chain(self.names.iter().map(String::as_str))
            .collect();
        edit.call("ensure_hosts_entry", &words)
    }

    fn edited(&self, text: &str) -> String {
        edited(text, self.how(), &self.address, &self.names)
    }
}

impl Action for HostsEntry {
    const NAME: &'static str = "hosts_entry";

    fn subject(&self) -> String {
        [std::slice::from_ref(&self.address), self.names.as_slice()].concat().join(" ")
    }

    fn prepare(&mut self, _workspace: &dyn Workspace) -> Result<(), ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        if self.address.parse::<IpAddr>().is_err() {
            return wrong(format!(
                "{:?} is not an address such as 10.0.0.5 or fd00::5",
                self.address
            ));
        }
        let mut seen = BTreeSet::new();
        for name in &self.names {
            if !is_name(name) {
                return wrong(format!(
                    "{name:?} is not a host name: letters, digits, - and _ between dots, at most \
                     253 characters"
                ));
            }
            if !seen.insert(name.to_ascii_lowercase()) {
                return wrong(format!("the name {name} stands twice in the list; give it once"));
            }
        }
        match self.action {
            LineAction::Present if self.names.is_empty() => {
                wrong(format!("there is no name for {}; give at least one", self.address))
            }
            LineAction::Absent if self.exclusive => {
                wrong("exclusive is for names that are present; omit it".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn claims(&self, claims: &mut Claims) {
        let this = self.clone();
        claims.part(TABLE, move |text| this.edited(text) == text);
        let names: Vec<String> = self.names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let address = form(&self.address).unwrap_or_default();
        let set = format!("the names of {} in {TABLE}", self.address);
        let id = format!("the names of {address} in {TABLE}");
        let present = self.action == LineAction::Present;
        for name in &names {
            let what = format!("whether {} has the name {name} in {TABLE}", self.address);
            claims.identified(what, format!("{id}\n{name}"), present.to_string());
            if present {
                claims.member(&id, name);
            }
        }
        if present {
            claims.path(TABLE, "a file");
        }
        if self.exclusive {
            claims.identified(set, format!("{id}\nin order"), names.join(" "));
        }
        if self.exclusive || names.is_empty() {
            claims.only(id, names.into_iter().collect());
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(TABLE);
    }

    fn observe(&self, wanted: &mut Observation) {
        let edit = self.edit();
        edit.observe(wanted);
        edit.observe_edit(wanted, &self.script(&edit));
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let edit = self.edit();
        edit.plan(node, self.script(&edit), |text| self.edited(text))
    }
}

/// Whether this can be a host name; an underscore is not allowed in one, and is often in one.
fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(plain) && !label.starts_with('-')
    };
    name.len() <= 253 && name.parse::<IpAddr>().is_err() && name.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::super::check::{check, node};
    use super::*;
    use expect_test::expect;

    fn db() -> HostsEntry {
        HostsEntry::new("10.0.0.5", ["db.example.com", "db"])
    }

    #[test]
    fn adds_what_is_missing() {
        check(
            db(),
            node().file(TABLE, "127.0.0.1 localhost\n10.0.0.5 other\n", 0o644),
            expect![[r#"
                will change content
                @@ -1,2 +1,3 @@
                 127.0.0.1 localhost
                 10.0.0.5 other
                +10.0.0.5	db.example.com db
                ---
                ensure_hosts_entry /etc/hosts create '' '' '' present 10.0.0.5 db.example.com db
            "#]],
        );
        check(
            db(),
            node().file(TABLE, " 10.0.0.5   x  DB y  # the database\n", 0o644),
            expect![[r#"
                will change content
                @@ -1 +1 @@
                - 10.0.0.5   x  DB y  # the database
                + 10.0.0.5   db.example.com db x y  # the database
                ---
                ensure_hosts_entry /etc/hosts create '' '' '' present 10.0.0.5 db.example.com db
            "#]],
        );
        check(
            db(),
            node().without_file(TABLE),
            expect![[r#"
                will create file
                + file root:root 0644
                @@ -0,0 +1 @@
                +10.0.0.5	db.example.com db
                ---
                ensure_hosts_entry /etc/hosts create '' '' '' present 10.0.0.5 db.example.com db
            "#]],
        );
        check(
            db().exclusive(),
            node().file(TABLE, "10.0.0.5 db db.example.com\n10.0.0.6 db\n10.0.0.5 x\n", 0o644),
            expect![[r#"
                will change content
                @@ -1,3 +1,2 @@
                -10.0.0.5 db db.example.com
                +10.0.0.5 db.example.com db
                 10.0.0.6 db
                -10.0.0.5 x
                ---
                ensure_hosts_entry /etc/hosts create '' '' '' only 10.0.0.5 db.example.com db
            "#]],
        );
    }

    #[test]
    fn leaves_what_is_right() {
        let with = |text: &str| node().file(TABLE, text, 0o644);
        check(db(), with("10.0.0.5 x Db\n10.0.0.5\tdb.example.com # x"), expect!["nothing to do"]);
        check(
            db().exclusive(),
            with("\t10.0.0.5  db.example.com\tdb\r\n"),
            expect!["nothing to do"],
        );
        check(
            HostsEntry::new("fd00::5", ["db"]),
            with("FD00:0:0::0005 db\n"),
            expect!["nothing to do"],
        );
        check(db().absent(), with("10.0.0.6 db\n10.0.0.5 x # db\n"), expect!["nothing to do"]);
        check(db().absent(), node().without_file(TABLE), expect!["nothing to do"]);
    }

    #[test]
    fn takes_names_away() {
        check(
            db().absent(),
            node().file(TABLE, "10.0.0.5 db x # y\n10.0.0.6 db\n10.0.0.5 DB.example.com\n", 0o644),
            expect![[r#"
                will change content
                @@ -1,3 +1,2 @@
                -10.0.0.5 db x # y
                +10.0.0.5 x # y
                 10.0.0.6 db
                -10.0.0.5 DB.example.com
                ---
                ensure_hosts_entry /etc/hosts leave '' '' '' absent 10.0.0.5 db.example.com db
            "#]],
        );
        check(
            HostsEntry { names: Vec::new(), ..db().absent() },
            node().file(TABLE, "10.0.0.5 db x\n10.0.0.50 y\n", 0o644),
            expect![[r#"
                will change content
                @@ -1,2 +1 @@
                -10.0.0.5 db x
                 10.0.0.50 y
                ---
                ensure_hosts_entry /etc/hosts leave '' '' '' absent 10.0.0.5
            "#]],
        );
    }

    #[test]
    fn decides_on_the_node_what_is_not_known() {
        check(
            db(),
            node(),
            expect![[r#"
                may edit file
                +10.0.0.5	db.example.com db
                ---
                ensure_hosts_entry /etc/hosts create '' '' '' present 10.0.0.5 db.example.com db
            "#]],
        );
        check(
            db().absent(),
            node(),
            expect![[r#"
                may edit file
                ---
                ensure_hosts_entry /etc/hosts leave '' '' '' absent 10.0.0.5 db.example.com db
            "#]],
        );
    }

    #[test]
    fn refuses_what_cannot_be() {
        for (action, expected) in [
            (
                HostsEntry::new("10.0.0", ["db"]),
                expect![[
                    r#"error: hosts_entry: "10.0.0" is not an address such as 10.0.0.5 or fd00::5"#
                ]],
            ),
            (
                HostsEntry::new("10.0.0.5", ["d b"]),
                expect![[
                    r#"error: hosts_entry: "d b" is not a host name: letters, digits, - and _ between dots, at most 253 characters"#
                ]],
            ),
            (
                HostsEntry::new("10.0.0.5", ["10.0.0.5"]),
                expect![[
                    r#"error: hosts_entry: "10.0.0.5" is not a host name: letters, digits, - and _ between dots, at most 253 characters"#
                ]],
            ),
            (
                HostsEntry::new("10.0.0.5", ["db", "DB"]),
                expect!["error: hosts_entry: the name DB stands twice in the list; give it once"],
            ),
            (
                HostsEntry { names: Vec::new(), ..db() },
                expect!["error: hosts_entry: there is no name for 10.0.0.5; give at least one"],
            ),
            (
                db().exclusive().absent(),
                expect!["error: hosts_entry: exclusive is for names that are present; omit it"],
            ),
        ] {
            check(action, node(), expected);
        }
        check(
            db(),
            node().link(TABLE, "/run/hosts"),
            expect![
                "error: /etc/hosts is a link to /run/hosts, not a file; name the file that it \
                 points to"
            ],
        );
    }
}

//! Plans the changes of a user.

use std::collections::BTreeSet;

use super::User;
use crate::action::{ActionError, Certainty, Change};
use crate::model::Known;
use crate::observe::{NodeState, UserState};

impl User {
    /// Plans that the user exists, with everything that is declared.
    pub(super) fn plan_manage(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        for group in self.group.iter().chain(self.groups.iter().flatten()) {
            if node.group(group) == Known::Known(&None) {
                return Err(ActionError::node(format!(
                    "there is no group {group} for the user {}; declare group({group:?}) before",
                    self.name
                )));
            }
        }
        let UserState { uid, group, comment, home, shell, .. } = self.wanted();
        let change = match node.user(&self.name).cloned() {
            Known::Known(Some(current)) => {
                let wanted = self.other_groups(current.group.as_ref());
                let groups = match (&wanted, &current.groups) {
                    (Some(wanted), Some(current)) if self.append => {
                        Some(wanted.union(current).cloned().collect())
                    }
                    (wanted, current) => wanted.clone().or_else(|| current.clone()),
                };
                let mut differences = Differences::default();
                differences.compare("uid", &uid, &current.uid);
                differences.compare("group", &group, &current.group);
                let list = |groups: &Option<BTreeSet<String>>| groups.as_ref().map(listed);
                differences.compare(
                    "groups",
                    &wanted.as_ref().and(list(&groups)),
                    &list(&current.groups),
                );
                differences.compare("comment", &comment, &current.comment);
                differences.compare("home", &home, &current.home);
                differences.compare("shell", &shell, &current.shell);
                let locked = match self.compare_password(node, &mut differences) {
                    true => self.password.as_ref().map(|hash| hash.starts_with('!')),
                    false => current.locked,
                };
                let Some((certainty, what)) = differences.sum() else { return Ok(None) };
                if uid.is_some() && uid != current.uid {
                    // files with the old ID belong to somebody else now
                    node.forget_owner(&self.name);
                }
                // if the current groups are unknown and kept, the result is unknown too
                let groups = if self.append && current.groups.is_none() { None } else { groups };
                let after = UserState {
                    uid: uid.or(current.uid),
                    group: group.or(current.group),
                    groups,
                    comment: comment.or(current.comment),
                    home: home.or(current.home),
                    shell: shell.or(current.shell),
                    locked,
                };
                node.set_user(&self.name, Some(after));
                Change { certainty, ..Change::will(format!("change {what}"), self.script()) }
                    .with_diff(differences.diff)
            }
            absent_or_unknown => {
                let groups = self.other_groups(None);
                let mut shown = Differences::default();
                shown.compare("uid", &uid, &None);
                for (what, wanted) in [
                    ("group", &group),
                    ("groups", &groups.as_ref().map(listed)),
                    ("home", &home),
                    ("shell", &shell),
                ] {
                    shown.compare(what, wanted, &None);
                }
                let groups = if self.append { None } else { self.other_groups(Some(&self.name)) };
                if node.group(&self.name) == Known::Known(&None) {
                    node.forget_group(&self.name);
                }
                node.forget_files_below(
                    &home.clone().unwrap_or_else(|| format!("/home/{}", self.name)),
                );
                let locked = self.password.as_ref().map(|hash| hash.starts_with('!'));
                node.set_user(&self.name, Some(UserState { groups, locked, ..self.wanted() }));
                self.compare_password(node, &mut Differences::default());
                match absent_or_unknown {
                    Known::Known(_) => Change::will("create user", self.script()),
                    Known::Unknown => {
                        Change::may("ensure user", self.script()).with_diff(shown.diff)
                    }
                }
            }
        };
        Ok(Some(change))
    }

    /// The groups other than the primary one.
    fn other_groups(&self, primary: Option<&String>) -> Option<BTreeSet<String>> {
        let primary = self.group.as_ref().or(primary);
        self.groups
            .as_ref()
            .map(|groups| groups.iter().filter(|group| Some(*group) != primary).cloned().collect())
    }
}

fn listed(groups: &BTreeSet<String>) -> String {
    groups.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The differences between a user and the wanted one.
#[derive(Default)]
pub(super) struct Differences {
    pub(super) known: Vec<&'static str>,
    pub(super) unknown: Vec<&'static str>,
    pub(super) diff: String,
}

impl Differences {
    pub(super) fn compare<T: PartialEq + std::fmt::Display>(
        &mut self,
        what: &'static str,
        wanted: &Option<T>,
        current: &Option<T>,
    ) {
        match (wanted, current) {
            (Some(new), None) => {
                self.unknown.push(what);
                self.diff.push_str(&format!("+ {what} {new}\n"));
            }
            (Some(new), Some(old)) if new != old => {
                self.known.push(what);
                self.diff.push_str(&format!("- {what} {old}\n+ {what} {new}\n"));
            }
            _ => {}
        }
    }

    fn sum(&self) -> Option<(Certainty, String)> {
        let certainty = if self.known.is_empty() { Certainty::May } else { Certainty::Will };
        let what: Vec<&str> = self.known.iter().chain(&self.unknown).copied().collect();
        (!what.is_empty()).then(|| (certainty, what.join(", ")))
    }
}

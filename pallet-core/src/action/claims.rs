//! Claims: the state that each action wants, so that two actions that undo each other are found
//! when they are declared.

mod accounts;
mod claimed;
mod paths;

use std::collections::BTreeSet;

pub(crate) use self::accounts::Account;
pub use self::claimed::ClaimIndex;
use self::paths::PathClaim;
use super::ere::Ere;
use crate::model::digest;

/// The claims of one action. Two claims of one phase that contradict each other would be undone and
/// redone in every run.
#[derive(Debug, Default)]
pub struct Claims {
    all: Vec<Claim>,
    pub(super) accounts: Vec<Account>,
}

#[derive(Debug)]
enum Claim {
    /// Something has one value at a time; `what` names it in errors, and `id` identifies it.
    Value { what: String, id: String, is: String },
    /// A claim on a path, and so on its parent directories.
    Path(PathClaim),
    /// A set has this member.
    Member { set: String, member: String },
    /// A set has no members but these.
    Only { set: String, members: BTreeSet<String> },
    /// A file has a line, or no line that matches.
    Line { path: String, line: LineClaim },
    /// A file has exactly this text.
    Text { path: String, text: String },
    /// A part of a file has a state; `holds` checks a text for it.
    Part { path: String, holds: Holds },
}

/// Checks whether a text meets a claim on a part of a file.
struct Holds(Box<dyn Fn(&str) -> bool + Send>);

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holds")
    }
}

#[derive(Debug)]
struct LineClaim {
    /// The line that the file has; `None`: the file must not have a line that matches.
    line: Option<String>,
    /// The declaration says where the line goes, so it cannot be predicted whether it ends up after
    /// another line that matches.
    placed: bool,
    /// The line replaces the last line that matches this; without a line, all matching lines are
    /// removed.
    takes: Option<Ere>,
}

impl LineClaim {
    /// Whether the other claim removes this claim's line in every run.
    fn is_undone_by(&self, other: &LineClaim) -> bool {
        let Some((line, takes)) = self.line.as_ref().zip(other.takes.as_ref()) else {
            return false;
        };
        takes.matches(line)
            && other
                .line
                .as_ref()
                .is_none_or(|other| other != line && takes.matches(other) && !self.placed)
    }
}

impl Claims {
    /// Claims that `what` has the value `is`. `what` is for errors (`whether nginx runs`), and `is`
    /// is only compared. If `what` is not unique, `key` makes it so.
    pub fn value(&mut self, what: impl Into<String>, key: impl Into<String>, is: impl AsRef<str>) {
        // store a digest: the value may be large, or a secret
        let is = is.as_ref();
        let is = if is.len() > 40 { digest(is.as_bytes()) } else { is.to_owned() };
        let what = what.into();
        let id = format!("{what}\n{}", key.into());
        self.identified(what, id, is);
    }

    /// The same, if `id` alone identifies it, whatever `what` says.
    pub(super) fn identified(
        &mut self,
        what: impl Into<String>,
        id: impl Into<String>,
        is: impl Into<String>,
    ) {
        self.all.push(Claim::Value { what: what.into(), id: id.into(), is: is.into() });
    }

    /// Claims what is at a path: `a file`, `a directory`, `nothing`.
    pub(super) fn path(&mut self, path: &str, is: &str) {
        self.value(format!("what stands at {path}"), "", is);
        self.all.push(Claim::Path(PathClaim::stands(path, is)));
    }

    /// Claims that a user must exist.
    pub(super) fn user(&mut self, name: &str) {
        self.account(name, Account::User);
    }

    /// Claims that a group must exist.
    pub(super) fn group(&mut self, name: &str) {
        self.account(name, Account::Group);
    }

    /// Numeric IDs need no account.
    fn account(&mut self, name: &str, kind: fn(String) -> Account) {
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            let account = kind(name.to_owned());
            self.value(format!("whether there is a {account}"), "", "true");
            self.accounts.push(account);
        }
    }

    /// Claims the owner and group of everything below a directory.
    pub(super) fn owned_below(&mut self, path: &str, owner: Option<&str>, group: Option<&str>) {
        for (aspect, is) in [("owner", owner), ("group", group)] {
            self.all.extend(is.map(|is| Claim::Path(PathClaim::owned_below(path, aspect, is))));
        }
    }

    /// Claims that a directory contains only entries that `keeps` accepts, by their path in it.
    pub(super) fn only_in(&mut self, path: &str, keeps: impl Fn(&str) -> bool + Send + 'static) {
        self.all.push(Claim::Path(PathClaim::only_in(path, keeps)));
    }

    /// Claims the owner, group and mode of a path, if given.
    pub(super) fn attributes(&mut self, path: &str, wanted: &crate::observe::Attributes) {
        let mode = wanted.mode.map(|mode| format!("{mode:04o}"));
        for (name, is) in [("owner", &wanted.owner), ("group", &wanted.group), ("mode", &mode)] {
            if let Some(is) = is {
                self.value(format!("the {name} of {path}"), "", is);
                self.all.push(Claim::Path(PathClaim::owned(path, name, is)));
            }
        }
        wanted.owner.iter().for_each(|owner| self.user(owner));
        wanted.group.iter().for_each(|group| self.group(group));
    }

    /// Claims that a named set has this member.
    pub(super) fn member(&mut self, set: impl Into<String>, member: impl Into<String>) {
        self.all.push(Claim::Member { set: set.into(), member: member.into() });
    }

    /// Claims that a named set has exactly these members.
    pub(super) fn only(&mut self, set: impl Into<String>, members: BTreeSet<String>) {
        self.all.push(Claim::Only { set: set.into(), members });
    }

    /// Claims the whole text of a file.
    pub(super) fn text(&mut self, path: &str, text: &str) {
        self.all.push(Claim::Text { path: path.to_owned(), text: text.to_owned() });
    }

    /// Claims a part of a file; `holds` checks a text for it.
    pub(super) fn part(&mut self, path: &str, holds: impl Fn(&str) -> bool + Send + 'static) {
        self.all.push(Claim::Part { path: path.to_owned(), holds: Holds(Box::new(holds)) });
    }

    /// Claims a line of a file that replaces the last line that `takes` matches. A new line is
    /// `placed` next to another one, or goes to the end.
    pub(super) fn line(&mut self, path: &str, line: &str, takes: Option<Ere>, placed: bool) {
        let line = LineClaim { line: Some(line.to_owned()), placed, takes };
        self.all.push(Claim::Line { path: path.to_owned(), line });
    }

    /// Claims that a file has no line that matches.
    pub(super) fn no_line(&mut self, path: &str, matching: Ere) {
        let line = LineClaim { line: None, placed: false, takes: Some(matching) };
        self.all.push(Claim::Line { path: path.to_owned(), line });
    }
}

#[cfg(test)]
mod tests;

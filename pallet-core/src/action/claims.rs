//! What actions claim of a node, so that two that undo each other are found where they are
//! declared.

mod accounts;
mod claimed;
mod paths;

use std::collections::BTreeSet;

pub(crate) use self::accounts::Account;
pub use self::claimed::ClaimIndex;
use self::paths::PathClaim;
use super::ere::Ere;
use crate::model::digest;

/// What one action claims. Two claims of one phase that contradict each other would be undone and
/// made again in every run.
#[derive(Debug, Default)]
pub struct Claims {
    all: Vec<Claim>,
    pub(super) accounts: Vec<Account>,
}

#[derive(Debug)]
enum Claim {
    /// Something can be only one way at a time; `what` are the words for it, and `id` tells it from
    /// all else.
    Value { what: String, id: String, is: String },
    /// Something of a path, and so of the directories that lead to it.
    Path(PathClaim),
    /// A set has this member.
    Member { set: String, member: String },
    /// A set has no other members.
    Only { set: String, members: BTreeSet<String> },
    /// A file has a line, or has none that matches.
    Line { path: String, line: LineClaim },
    /// A file has just this text.
    Text { path: String, text: String },
    /// A part of a file is so: whether it is, in a text.
    Part { path: String, holds: Holds },
}

/// Whether a part of a file is as it is claimed, in a text.
struct Holds(Box<dyn Fn(&str) -> bool + Send>);

impl std::fmt::Debug for Holds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holds")
    }
}

#[derive(Debug)]
struct LineClaim {
    /// The line that is there; `None`: one is not there.
    line: Option<String>,
    /// It goes where the declaration says: whether it comes behind a line that matches cannot be
    /// told.
    placed: bool,
    /// The last line that matches gives way to it; without a line, every one.
    takes: Option<Ere>,
}

impl LineClaim {
    /// Whether the other one takes away the line of this one, every time.
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
    /// `what`, in the words of an error (`whether nginx runs`), is so. What `is` says is only
    /// compared. Where the words do not tell all apart, `key` does.
    pub fn value(&mut self, what: impl Into<String>, key: impl Into<String>, is: impl AsRef<str>) {
        // never the thing itself: it may be large, or a secret
        let is = is.as_ref();
        let is = if is.len() > 40 { digest(is.as_bytes()) } else { is.to_owned() };
        let what = what.into();
        let id = format!("{what}\n{}", key.into());
        self.identified(what, id, is);
    }

    /// The same of what is told apart by its `id` alone, whatever the words for it are.
    pub(super) fn identified(
        &mut self,
        what: impl Into<String>,
        id: impl Into<String>,
        is: impl Into<String>,
    ) {
        self.all.push(Claim::Value { what: what.into(), id: id.into(), is: is.into() });
    }

    /// What stands at a path: `a file`, `a directory`, `nothing`.
    pub(super) fn path(&mut self, path: &str, is: &str) {
        self.value(format!("what stands at {path}"), "", is);
        self.all.push(Claim::Path(PathClaim::stands(path, is)));
    }

    /// A user must be there.
    pub(super) fn user(&mut self, name: &str) {
        self.account(name, Account::User);
    }

    /// A group must be there.
    pub(super) fn group(&mut self, name: &str) {
        self.account(name, Account::Group);
    }

    /// Numbers are nobody's name.
    fn account(&mut self, name: &str, kind: fn(String) -> Account) {
        if !name.bytes().all(|byte| byte.is_ascii_digit()) {
            let account = kind(name.to_owned());
            self.value(format!("whether there is a {account}"), "", "true");
            self.accounts.push(account);
        }
    }

    /// All that is below a directory belongs to them.
    pub(super) fn owned_below(&mut self, path: &str, owner: Option<&str>, group: Option<&str>) {
        for (aspect, is) in [("owner", owner), ("group", group)] {
            self.all.extend(is.map(|is| Claim::Path(PathClaim::owned_below(path, aspect, is))));
        }
    }

    /// Of what is below a directory only that stays which `keeps` says, by its path in it.
    pub(super) fn only_in(&mut self, path: &str, keeps: impl Fn(&str) -> bool + Send + 'static) {
        self.all.push(Claim::Path(PathClaim::only_in(path, keeps)));
    }

    /// The owner, group and mode of what stands at a path, as far as they are given.
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

    /// The set that is named so has this member.
    pub(super) fn member(&mut self, set: impl Into<String>, member: impl Into<String>) {
        self.all.push(Claim::Member { set: set.into(), member: member.into() });
    }

    /// The set that is named so has these members, and no others.
    pub(super) fn only(&mut self, set: impl Into<String>, members: BTreeSet<String>) {
        self.all.push(Claim::Only { set: set.into(), members });
    }

    /// A file has just this text.
    pub(super) fn text(&mut self, path: &str, text: &str) {
        self.all.push(Claim::Text { path: path.to_owned(), text: text.to_owned() });
    }

    /// A part of a file is so; `holds` tells whether it is in a text.
    pub(super) fn part(&mut self, path: &str, holds: impl Fn(&str) -> bool + Send + 'static) {
        self.all.push(Claim::Part { path: path.to_owned(), holds: Holds(Box::new(holds)) });
    }

    /// A file has a line, in the place of the last one that `takes` matches; a new one is `placed`
    /// beside another, or goes to the end.
    pub(super) fn line(&mut self, path: &str, line: &str, takes: Option<Ere>, placed: bool) {
        let line = LineClaim { line: Some(line.to_owned()), placed, takes };
        self.all.push(Claim::Line { path: path.to_owned(), line });
    }

    /// A file has no line that matches.
    pub(super) fn no_line(&mut self, path: &str, matching: Ere) {
        let line = LineClaim { line: None, placed: false, takes: Some(matching) };
        self.all.push(Claim::Line { path: path.to_owned(), line });
    }
}

#[cfg(test)]
mod tests;

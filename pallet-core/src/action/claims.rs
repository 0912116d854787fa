//! What actions claim of a node, so that two that undo each other are found where they are
//! declared.

mod accounts;
mod paths;

use std::collections::{BTreeSet, HashMap};

pub(crate) use self::accounts::Account;
use self::paths::{PathClaim, Paths};
use super::AnyAction;
use super::declared::Declared;
use super::ere::Ere;
use crate::model::digest;

/// What one action claims. Two claims of one phase that contradict each other would be undone and
/// made again in every run.
#[derive(Debug, Default)]
pub struct Claims {
    all: Vec<Claim>,
    accounts: Vec<Account>,
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
    fn of(action: &dyn AnyAction) -> Self {
        let mut claims = Claims::default();
        action.claims(&mut claims);
        claims
    }

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
    pub(super) fn attributes(&mut self, path: &str, wanted: &crate::model::Attributes) {
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

/// What the actions of one node and phase claimed so far.
#[derive(Debug, Default)]
pub struct Claimed {
    values: HashMap<String, Vec<(String, usize)>>,
    paths: Paths,
    members: HashMap<String, Vec<(String, usize)>>,
    only: HashMap<String, Vec<(BTreeSet<String>, usize)>>,
    lines: HashMap<String, Vec<(LineClaim, usize)>>,
    /// Only which of them have one: it is large, and can be asked for again.
    texts: HashMap<String, Vec<usize>>,
    parts: HashMap<String, Vec<(Holds, usize)>>,
}

impl Claimed {
    /// Adds what the next action claims, the one behind `all`. Gives which of them it undoes, and
    /// what both say something of.
    pub fn add(&mut self, next: &Declared, all: &[Declared]) -> Option<(usize, String)> {
        // what waits for a flag does so to act after others
        if next.options.if_flag.is_some() {
            return None;
        }
        let meets = |at: &usize| all.get(*at).is_some_and(|earlier| meet(earlier, next));
        let Claims { all: claims, accounts } = Claims::of(&*next.action);
        next.know_accounts(accounts);
        claims.into_iter().find_map(|claim| self.add_claim(claim, all, &meets))
    }

    fn add_claim(
        &mut self,
        claim: Claim,
        all: &[Declared],
        meets: &dyn Fn(&usize) -> bool,
    ) -> Option<(usize, String)> {
        let at = all.len();
        match claim {
            Claim::Path(claim) => self.paths.add(claim, at, meets),
            Claim::Value { what, id, is } => {
                let known = self.values.entry(id).or_default();
                let undone =
                    known.iter().find(|(other, at)| *other != is && meets(at)).map(|(_, at)| *at);
                if !known.iter().any(|(other, at)| *other == is && meets(at)) {
                    known.push((is, at));
                }
                undone.map(|at| (at, what))
            }
            Claim::Member { set, member } => {
                let only = self.only.get(&set).into_iter().flatten();
                let undone = only
                    .into_iter()
                    .find(|(members, at)| !members.contains(&member) && meets(at))
                    .map(|(_, at)| *at);
                self.members.entry(set.clone()).or_default().push((member, at));
                undone.map(|at| (at, set))
            }
            Claim::Only { set, members } => {
                let there = self.members.get(&set).into_iter().flatten();
                let undone = there
                    .into_iter()
                    .find(|(member, at)| !members.contains(member) && meets(at))
                    .map(|(_, at)| *at);
                self.only.entry(set.clone()).or_default().push((members, at));
                undone.map(|at| (at, set))
            }
            Claim::Text { path, text } => {
                let parts = self.parts.get(&path).into_iter().flatten();
                let undone = parts
                    .into_iter()
                    .find(|(holds, at)| !holds.0(&text) && meets(at))
                    .map(|(_, at)| *at);
                self.texts.entry(path.clone()).or_default().push(at);
                undone.map(|at| (at, format!("the content of {path}")))
            }
            Claim::Part { path, holds } => {
                let texts = self.texts.get(&path).into_iter().flatten();
                let undone = texts.copied().find(|at| {
                    meets(at) && text_of(&all[*at], &path).is_some_and(|text| !holds.0(&text))
                });
                self.parts.entry(path.clone()).or_default().push((holds, at));
                undone.map(|at| (at, format!("the content of {path}")))
            }
            Claim::Line { path, line } => {
                let known = self.lines.entry(path.clone()).or_default();
                let undoes = |(other, at): &&(LineClaim, usize)| {
                    (line.is_undone_by(other) || other.is_undone_by(&line)) && meets(at)
                };
                let undone = known.iter().find(undoes).map(|(_, at)| *at);
                known.push((line, at));
                undone.map(|at| (at, format!("the lines of {path}")))
            }
        }
    }
}

/// The text that an action claims of a file.
fn text_of(action: &Declared, path: &str) -> Option<String> {
    Claims::of(&*action.action).all.into_iter().find_map(|claim| match claim {
        Claim::Text { path: of, text } if of == path => Some(text),
        _ => None,
    })
}

/// Whether both can be done in one run: they are not apart by the conditions that they stand under.
fn meet(one: &Declared, other: &Declared) -> bool {
    let opposite = one.conditions.iter().any(|this| {
        other
            .conditions
            .iter()
            .any(|that| this.command == that.command && this.unless != that.unless)
    });
    let within = |inner: &Declared, outer: &Declared| {
        outer
            .conditions
            .iter()
            .all(|outer| inner.conditions.iter().any(|inner| inner.id == outer.id))
    };
    !opposite && (within(one, other) || within(other, one))
}

#[cfg(test)]
mod tests;

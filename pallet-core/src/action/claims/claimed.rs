//! Finds an action that undoes an earlier action of the same node and phase.

use std::collections::{BTreeSet, HashMap};

use super::super::{BlockRole, Declared};
use super::paths::Paths;
use super::{Claim, Claims, Holds, LineClaim};

/// The claims of one node and phase so far.
#[derive(Debug, Default)]
pub struct ClaimIndex {
    values: HashMap<String, Vec<(String, usize)>>,
    paths: Paths,
    members: HashMap<String, Vec<(String, usize)>>,
    only: HashMap<String, Vec<(BTreeSet<String>, usize)>>,
    lines: HashMap<String, Vec<(LineClaim, usize)>>,
    /// Only the positions of the actions: texts are large, and can be computed again.
    texts: HashMap<String, Vec<usize>>,
    parts: HashMap<String, Vec<(Holds, usize)>>,
}

impl ClaimIndex {
    /// Adds the claims of the next action, which follows `all`. Returns the position of an action
    /// that it undoes, if any, and what they disagree about.
    pub fn add(&mut self, next: &Declared, all: &[Declared]) -> Option<(usize, String)> {
        // an action that waits for a flag is meant to act after others, a rescue to undo them
        let rescues = next.blocks.iter().any(|block| block.role == BlockRole::Rescue);
        if next.options.if_flag.is_some() || rescues {
            return None;
        }
        let meets = |at: &usize| all.get(*at).is_some_and(|earlier| meet(earlier, next));
        let Claims { all: claims, accounts } = next.claims();
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

/// The text that an action claims for a file.
fn text_of(action: &Declared, path: &str) -> Option<String> {
    action.claims().all.into_iter().find_map(|claim| match claim {
        Claim::Text { path: of, text } if of == path => Some(text),
        _ => None,
    })
}

/// Whether both actions can run in the same run, given their conditions.
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

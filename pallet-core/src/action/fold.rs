//! Planning: a fold over the declared actions, from the known state of a node to the changes to
//! make.

mod flags;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

#[cfg(feature = "host")]
pub(crate) use self::flags::FlagTurn;
pub use self::flags::{Flags, Waiting};
use super::{ActionError, BlockRole, Certainty, Change, Condition, Declared};
use crate::model::{KNOWN_AFTER_APPLY, Known};
use crate::observe::{NodeState, Observation};

/// One declared action in a plan.
#[derive(Debug)]
pub struct Step {
    /// The position of the action.
    pub index: usize,
    /// The change to make, if any.
    pub change: Option<Change>,
    /// A change by hand on the node that is kept.
    pub drift: Option<Change>,
    /// Planning again after the change would change nothing; only computed with `look_again`.
    pub settles: bool,
    /// Its conditions that only the node can decide.
    pub conditions: Vec<Condition>,
    /// Why the action is skipped on this node, if it is.
    pub skipped: Option<Skipped>,
}

/// Why an action is skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// These of its conditions do not hold.
    Conditions(Vec<Condition>),
    /// It waits for this flag, which no earlier action sets.
    Flag(String),
    /// It waits for this flag, and the same action had its turn since that was set.
    Served(String),
    /// It is a rescue, and nothing can fail: no action before it in its block has a change.
    Rescue,
}

/// All observations that the actions need.
pub fn observation<'a>(actions: impl IntoIterator<Item = &'a Declared>) -> Observation {
    let mut wanted = Observation::default();
    for declared in actions {
        let rescues = declared.blocks.iter().any(|block| block.role == BlockRole::Rescue);
        if declared.conditions.is_empty() && declared.options.if_flag.is_none() && !rescues {
            declared.action.observe(&mut wanted);
            declared.observe_accounts(&mut wanted);
        } else {
            // an action that may be skipped is not worth a simulation of its package changes in
            // every run
            let mut asked = Observation::default();
            declared.action.observe(&mut asked);
            asked.package_changes = Default::default();
            wanted.extend(asked);
        }
        for condition in &declared.conditions {
            wanted.command(&condition.command);
        }
    }
    wanted
}

/// Plans the changes that bring `node` to the state that the actions want, in order. `node` and
/// `flags` are updated to the state after the changes.
///
/// An action that cannot be planned ends the fold; the error has its index and the reason. With
/// `look_again`, each step reports whether it settles.
pub fn plan(
    actions: &[Declared],
    node: &mut NodeState,
    flags: &mut Flags,
    look_again: bool,
) -> Result<Vec<Step>, (usize, ActionError)> {
    plan_watched(actions, node, flags, look_again, &mut |_, _| {})
}

/// The same; also calls `before` for each action with the known state at its turn.
pub fn plan_watched(
    actions: &[Declared],
    node: &mut NodeState,
    flags: &mut Flags,
    look_again: bool,
    before: &mut dyn FnMut(&Declared, &NodeState),
) -> Result<Vec<Step>, (usize, ActionError)> {
    let mut fold = Fold {
        actions,
        look_again,
        before,
        decided: BTreeMap::new(),
        steps: Some(Vec::with_capacity(actions.len())),
        open: Vec::new(),
        changes: 0,
    };
    let mut now = World { node: node.clone(), flags: std::mem::take(flags) };
    let result = fold.sequence(0..actions.len(), 0, false, &mut now);
    (*node, *flags) = (now.node, now.flags);
    result.map(|()| fold.steps.unwrap_or_default())
}

/// What is known of a node at one point of a phase.
#[derive(Clone)]
struct World {
    node: NodeState,
    flags: Flags,
}

impl World {
    /// Keeps only what is so in both.
    fn keep_what_agrees(&mut self, other: &World) {
        self.node.keep_what_agrees(&other.node);
        self.flags.keep_what_agrees(&other.flags);
    }
}

/// The fold over the actions of a phase.
struct Fold<'a> {
    actions: &'a [Declared],
    look_again: bool,
    before: &'a mut dyn FnMut(&Declared, &NodeState),
    /// The conditions that were looked at; `None`: only the node can decide.
    decided: BTreeMap<usize, Option<bool>>,
    /// `None` where only the state afterwards matters.
    steps: Option<Vec<Step>>,
    /// For each block around the current action, what is so wherever its part may fail.
    open: Vec<World>,
    /// The number of changes so far.
    changes: usize,
}

impl Fold<'_> {
    /// Plans actions in order, which are within so many blocks. `conditional`: they may be skipped.
    fn sequence(
        &mut self,
        range: Range<usize>,
        depth: usize,
        conditional: bool,
        now: &mut World,
    ) -> Result<(), (usize, ActionError)> {
        let mut index = range.start;
        while index < range.end {
            let actions = self.actions;
            let id = |index: usize| actions[index].blocks.get(depth).map(|block| block.id);
            let Some(block) = id(index) else {
                self.action(index, conditional, now)?;
                index += 1;
                continue;
            };
            let end = (index..range.end).find(|next| id(*next) != Some(block));
            let end = end.unwrap_or(range.end);
            self.block(index..end, depth, conditional, now)?;
            index = end;
        }
        Ok(())
    }

    /// Plans a block: its body, the rescue from wherever that may fail, and what always runs.
    fn block(
        &mut self,
        range: Range<usize>,
        depth: usize,
        conditional: bool,
        now: &mut World,
    ) -> Result<(), (usize, ActionError)> {
        let actions = self.actions;
        let begins = |role: BlockRole| {
            let is_later = |index: &usize| actions[*index].blocks[depth].role >= role;
            range.clone().find(is_later).unwrap_or(range.end)
        };
        let (rescue, always) = (begins(BlockRole::Rescue), begins(BlockRole::Always));
        let rescued = actions[range.start].blocks[depth].rescued;
        let before = self.changes;
        self.open.push(now.clone());
        self.sequence(range.start..rescue, depth + 1, conditional, now)?;
        let Some(failed) = self.open.pop().filter(|_| self.changes > before) else {
            (rescue..always).for_each(|index| self.skip(index, now));
            return self.sequence(always..range.end, depth + 1, conditional, now);
        };
        let mut worst = failed.clone();
        if rescued {
            let mut after = failed.clone();
            self.open.push(failed);
            self.sequence(rescue..always, depth + 1, true, &mut after)?;
            worst = self.open.pop().unwrap_or(worst);
            now.keep_what_agrees(&after);
        }
        // these run after any of this; only what follows them knows that it went well
        worst.keep_what_agrees(now);
        self.sequence(always..range.end, depth + 1, conditional, &mut worst)?;
        let steps = self.steps.take();
        let result = self.sequence(always..range.end, depth + 1, conditional, now);
        self.steps = steps;
        result
    }

    /// Skips a rescue where nothing can fail.
    fn skip(&mut self, index: usize, now: &World) {
        let Some(steps) = &mut self.steps else { return };
        (self.before)(&self.actions[index], &now.node);
        steps.push(Step {
            index,
            change: None,
            drift: None,
            settles: false,
            conditions: Vec::new(),
            skipped: Some(Skipped::Rescue),
        });
    }

    fn action(
        &mut self,
        index: usize,
        conditional: bool,
        now: &mut World,
    ) -> Result<(), (usize, ActionError)> {
        let declared = &self.actions[index];
        if self.steps.is_some() {
            (self.before)(declared, &now.node);
        }
        let (mut conditions, mut failing) = (Vec::new(), Vec::new());
        for condition in &declared.conditions {
            // it is checked only once, so changes by the actions under it do not matter
            match self.decided.entry(condition.id).or_insert_with(|| holds(condition, &now.node)) {
                Some(true) => {}
                Some(false) => failing.push(condition.clone()),
                None => conditions.push(condition.clone()),
            }
        }
        let mut skipped = (!failing.is_empty()).then_some(Skipped::Conditions(failing));
        let waiting = Waiting::of(declared);
        let flag = match &waiting {
            None => Some(Certainty::Will),
            Some(waiting) => {
                let call = now.flags.call(waiting);
                if call.is_none() && skipped.is_none() {
                    let flag = waiting.flag().to_owned();
                    skipped = Some(match now.flags.get(&flag) {
                        Some(_) => Skipped::Served(flag),
                        None => Skipped::Flag(flag),
                    });
                }
                call
            }
        };
        let node = &mut now.node;
        let before = declared.options.ignore_errors.then(|| node.clone());
        let change = match flag {
            _ if skipped.is_some() => None,
            None => None,
            Some(Certainty::Will) if conditions.is_empty() && !conditional => {
                let planned =
                    declared.require_accounts(node).and_then(|()| declared.action.plan(node));
                planned.map_err(|error| (index, error))?
            }
            Some(_) => plan_conditional(declared, node).map_err(|error| (index, error))?,
        };
        let change = change.map(|change| match change.certainty {
            // an address that is not known yet may turn out to be the one that is already there
            Certainty::Will if change.diff.contains(KNOWN_AFTER_APPLY) => {
                Change { certainty: Certainty::May, ..change }
            }
            _ => change,
        });
        let settles = self.look_again
            && declared.action.plan(&mut node.clone()).is_ok_and(|again| again.is_none());
        let (change, drift) = match change {
            Some(change) if change.certainty == Certainty::Drifted => (None, Some(change)),
            change => (change, None),
        };
        if let Some(waiting) = waiting.filter(|_| flag.is_some() && skipped.is_none()) {
            // whoever is skipped or fails has not done what others wait for too
            let sure =
                conditions.is_empty() && !(change.is_some() && declared.options.ignore_errors);
            now.flags.had_turn(waiting, sure);
        }
        if let Some(change) = &change {
            node.forget_commands();
            if let Some(before) = before {
                // it may fail, and then all goes on
                node.keep_what_agrees(&before);
            }
            if let Some(flag) = &declared.options.flag_on_change {
                let sure = change.certainty == Certainty::Will && !declared.options.ignore_errors;
                now.flags.set(flag, if sure { Certainty::Will } else { Certainty::May });
            }
            self.changes += 1;
            self.open.iter_mut().for_each(|world| world.keep_what_agrees(now));
        }
        if let Some(steps) = &mut self.steps {
            steps.push(Step { index, change, drift, settles, conditions, skipped });
        }
        Ok(())
    }
}

/// Whether a condition holds, if known.
fn holds(condition: &Condition, node: &NodeState) -> Option<bool> {
    match node.command(&condition.command) {
        Known::Known(state) => Some((state.exit == 0) != condition.unless),
        Known::Unknown => None,
    }
}

/// Plans an action that may be skipped because of a flag or a condition: whatever it would change
/// is unknown afterwards.
fn plan_conditional(
    declared: &Declared,
    node: &mut NodeState,
) -> Result<Option<Change>, ActionError> {
    let mut then = node.clone();
    let change = declared.action.plan(&mut then)?;
    node.keep_what_agrees(&then);
    Ok(change.map(|change| match change.certainty {
        Certainty::Will => Change { certainty: Certainty::May, ..change },
        Certainty::May | Certainty::Drifted => change,
    }))
}

#[cfg(test)]
mod tests;

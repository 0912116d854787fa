//! Planning: a fold over the declared actions, from the known state of a node to the changes to
//! make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ActionError, Certainty, Change, Condition, Declared};
use crate::model::{KNOWN_AFTER_APPLY, Known};
use crate::observe::{NodeState, Observation};

/// Flags set so far in an operation on one node; a flag that is absent is not set.
pub type Flags = BTreeMap<String, Certainty>;

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
}

/// All observations that the actions need.
pub fn observation<'a>(actions: impl IntoIterator<Item = &'a Declared>) -> Observation {
    let mut wanted = Observation::default();
    for declared in actions {
        if declared.conditions.is_empty() && declared.options.if_flag.is_none() {
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
    let mut steps = Vec::with_capacity(actions.len());
    let mut decided: BTreeMap<usize, Option<bool>> = BTreeMap::new();
    for (index, declared) in actions.iter().enumerate() {
        before(declared, node);
        let (mut conditions, mut failing) = (Vec::new(), Vec::new());
        for condition in &declared.conditions {
            // it is checked only once, so changes by the actions under it do not matter
            match decided.entry(condition.id).or_insert_with(|| holds(condition, node)) {
                Some(true) => {}
                Some(false) => failing.push(condition.clone()),
                None => conditions.push(condition.clone()),
            }
        }
        let mut skipped = (!failing.is_empty()).then_some(Skipped::Conditions(failing));
        let flag = match &declared.options.if_flag {
            None => Some(Certainty::Will),
            Some(flag) => {
                let set = flags.get(flag).copied();
                if set.is_none() && skipped.is_none() {
                    skipped = Some(Skipped::Flag(flag.clone()));
                }
                set
            }
        };
        let change = match flag {
            _ if skipped.is_some() => None,
            None => None,
            Some(Certainty::Will) if conditions.is_empty() => {
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
        let settles = look_again
            && declared.action.plan(&mut node.clone()).is_ok_and(|again| again.is_none());
        let (change, drift) = match change {
            Some(change) if change.certainty == Certainty::Drifted => (None, Some(change)),
            change => (change, None),
        };
        if let Some(change) = &change {
            node.forget_commands();
            if let Some(flag) = &declared.options.flag_on_change {
                let so_far = flags.entry(flag.clone()).or_insert(change.certainty);
                if change.certainty == Certainty::Will {
                    *so_far = Certainty::Will;
                }
            }
        }
        steps.push(Step { index, change, drift, settles, conditions, skipped });
    }
    Ok(steps)
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

//! Planning: a fold over the declared actions, from what is known of a node to the changes to make.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ActionError, Certainty, Change, Condition, Declared};
use crate::model::{KNOWN_AFTER_APPLY, Known};
use crate::observe::{NodeState, Observation};

/// Flags set so far in an operation on one node; a flag that is absent is not set.
pub type Flags = BTreeMap<String, Certainty>;

/// One declared action's place in a plan.
#[derive(Debug)]
pub struct Step {
    /// Its position among the declared actions.
    pub index: usize,
    /// The change to make, if there is one.
    pub change: Option<Change>,
    /// What was changed by hand on the node and is kept.
    pub drift: Option<Change>,
    /// Planning again after the change gives nothing; known only where it was looked at.
    pub settles: bool,
    /// The conditions that it stands under and that only the node can decide.
    pub conditions: Vec<Condition>,
    /// Why it is not for this node at all, if it is not.
    pub skipped: Option<Skipped>,
}

/// Why an action is not for a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skipped {
    /// These conditions that it stands under do not hold.
    Conditions(Vec<Condition>),
    /// It waits for this flag, which nothing before it sets.
    Flag(String),
}

/// All that the actions must know.
pub fn observation<'a>(actions: impl IntoIterator<Item = &'a Declared>) -> Observation {
    let mut wanted = Observation::default();
    for declared in actions {
        if declared.conditions.is_empty() && declared.options.if_flag.is_none() {
            declared.action.observe(&mut wanted);
            declared.observe_accounts(&mut wanted);
        } else {
            // what may never be done at all is not simulated each time
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

/// The changes that bring `node` to what the actions want, in order. `node` and `flags` become what
/// will then be true.
///
/// An action that cannot be planned ends the fold: its index and the reason are the error. With
/// `look_again`, each step tells whether it settles.
pub fn plan(
    actions: &[Declared],
    node: &mut NodeState,
    flags: &mut Flags,
    look_again: bool,
) -> Result<Vec<Step>, (usize, ActionError)> {
    plan_watched(actions, node, flags, look_again, &mut |_, _| {})
}

/// The same; `before` is shown each action with what is known of the node when it is planned.
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
            // it is looked at once, so what the actions under it change does not matter
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
            // an address that nobody knows yet may be the one that stands there
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

/// Whether a condition holds, where that is known.
fn holds(condition: &Condition, node: &NodeState) -> Option<bool> {
    match node.command(&condition.command) {
        Known::Known(state) => Some((state.exit == 0) != condition.unless),
        Known::Unknown => None,
    }
}

/// Plans an action that a flag or a condition may or may not call for: whatever it would change is
/// unknown afterwards.
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

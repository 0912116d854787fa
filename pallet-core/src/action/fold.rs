//! Planning: a fold over the declared actions, from what is known of a node to the changes to make.

use std::collections::BTreeMap;

use super::{ActionError, Certainty, Change, Declared};
use crate::model::{NodeState, Observation};

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
}

/// All that the actions must know.
pub fn observation<'a>(actions: impl IntoIterator<Item = &'a Declared>) -> Observation {
    let mut wanted = Observation::default();
    for declared in actions {
        declared.action.observe(&mut wanted);
    }
    wanted
}

/// The changes that bring `node` to what the actions want, in order. `node` and `flags` become what will then be true.
///
/// An action that cannot be planned ends the fold: its index and the reason are the error.
pub fn plan(actions: &[Declared], node: &mut NodeState, flags: &mut Flags) -> Result<Vec<Step>, (usize, ActionError)> {
    let mut steps = Vec::with_capacity(actions.len());
    for (index, declared) in actions.iter().enumerate() {
        let condition = match &declared.options.if_flag {
            None => Some(Certainty::Will),
            Some(flag) => flags.get(flag).copied(),
        };
        let change = match condition {
            None => None,
            Some(Certainty::Will) => declared.action.plan(node).map_err(|error| (index, error))?,
            Some(Certainty::May | Certainty::Drifted) => plan_conditional(declared, node).map_err(|error| (index, error))?,
        };
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
        steps.push(Step { index, change, drift });
    }
    Ok(steps)
}

/// Plans an action that a flag may or may not call for: whatever it would change is unknown afterwards.
fn plan_conditional(declared: &Declared, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
    let mut then = node.clone();
    let change = declared.action.plan(&mut then)?;
    node.keep_what_agrees(&then);
    Ok(change.map(|change| match change.certainty {
        Certainty::Will => Change { certainty: Certainty::May, ..change },
        Certainty::May | Certainty::Drifted => change,
    }))
}

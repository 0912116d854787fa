//! Which actions an interrupted operation did, so that the one that resumes it does not repeat
//! those that would run every time.

use super::event::Event;
use super::member::{Interrupted, Member};
use super::options::DoneAction;
use crate::action::{BlockRole, Declared};
use crate::engine::Engine;
use crate::engine::node::Planner;
use crate::observe::NodeState;

impl Member {
    /// Takes out the actions of a phase that an interrupted operation did and that would run every
    /// time. Those that can be observed are planned as ever. `planner` is that of the place where
    /// they run.
    pub(super) fn leave_out_done(
        &self,
        engine: &Engine,
        phase: &str,
        planner: &Planner,
        declared: &mut Vec<Declared>,
    ) {
        let Some(before) = self.before.as_ref().filter(|before| !before.actions.is_empty()) else {
            return;
        };
        let Some((state, _)) = planner.known() else { return };
        let mut done = before.done(phase, &state, declared).into_iter();
        declared.retain(|one| {
            if done.next() != Some(true) {
                return true;
            }
            let label = one.label();
            let message = format!("{phase}: {label}: already done by the resumed operation");
            let (node, level) = (Some(self.name().to_owned()), "info".to_owned());
            engine.tell(Event::Message { node, level, message });
            false
        });
    }
}

impl Interrupted {
    /// For each action: whether it is done and need not run again.
    fn done(&self, phase: &str, state: &NodeState, declared: &[Declared]) -> Vec<bool> {
        let confirmed: Vec<_> = declared.iter().map(|one| self.did(phase, one)).collect();
        let changes = |one: &Declared, state: &mut NodeState| {
            // what cannot be planned now may be possible after the actions before it
            one.action.plan(state).map_or(true, |change| change.is_some())
        };
        // an action of a block is done only if the block did not fail: then all of its body is
        // done, and nothing was rescued
        let failed = |block: usize| {
            declared.iter().zip(&confirmed).any(|(one, confirmed)| {
                let part = one.blocks.iter().find(|part| part.id == block);
                match part.map(|part| part.role) {
                    Some(BlockRole::Body) => !confirmed && changes(one, &mut state.clone()),
                    Some(BlockRole::Rescue) => *confirmed,
                    _ => false,
                }
            })
        };
        let is_done = |(one, confirmed): (&Declared, &bool)| {
            let mut then = state.clone();
            *confirmed
                && changes(one, &mut then)
                && changes(one, &mut then)
                && !one.blocks.iter().any(|part| failed(part.id))
        };
        declared.iter().zip(&confirmed).map(is_done).collect()
    }

    fn did(&self, phase: &str, one: &Declared) -> bool {
        let wanted = DoneAction {
            phase: phase.to_owned(),
            number: one.number,
            action: one.action.name().to_owned(),
            subject: one.subject(),
        };
        self.actions.contains(&wanted)
    }
}

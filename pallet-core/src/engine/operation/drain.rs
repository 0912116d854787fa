//! Takes nodes out of service before they are changed, and keeps other operations away from them.

use super::member::Member;
use super::options::Mode;
use super::phase::Step;
use crate::engine::node::{Held, Hold, Session};
use crate::engine::{Engine, NodeError};

/// The flag on a node that says that it is out of service.
const DRAINED: &str = "pallet drained";

impl Member {
    /// Takes the node out of service, if it is about to be changed.
    pub(super) async fn drain(&mut self, engine: &Engine, step: &Step) {
        let Some((_, declared)) = self.planner.declared().get(step.position) else { return };
        // a new node is in nobody's service yet
        let may_drain = !declared.is_empty() && !self.fresh && !self.planner.is_predicted();
        let changes =
            |member: &Member| may_drain && member.planner.will_change(step.deciding.clone());
        // an interrupted operation may have left it out of service
        self.drained = self.planner.has_flag(DRAINED);
        let mut will_change = changes(self);
        if step.mode == Mode::Apply && (self.drained || will_change) {
            let waited = self.take_hold(engine).await;
            if self.has_ended() {
                return;
            }
            if waited {
                will_change = changes(self);
            }
        }
        if will_change {
            self.drained = true;
            self.phase(engine, step, false).await;
        } else if !self.drained {
            self.hold = None;
        }
    }

    /// Keeps other operations away until the node is back in service. If another one was there,
    /// what it changed is looked at, and the result is `true`.
    pub(super) async fn take_hold(&mut self, engine: &Engine) -> bool {
        match Hold::take(engine, self.session.beside(), DRAINED).await {
            Ok(Held { hold, waited, flag }) => {
                (self.hold, self.drained) = (Some(hold), flag);
                if waited {
                    self.observe(engine).await;
                }
                waited
            }
            Err(error) => {
                self.fail(NodeError::new(error.to_string()));
                false
            }
        }
    }

    /// Records on the node whether it is out of service, so that this outlives an operation that is
    /// killed.
    pub(super) async fn mark_drained(&mut self, engine: &Engine, drained: bool) {
        let script = Session::flag_script(DRAINED, drained);
        match self.session.run(engine, &script, false, &mut |_, _| {}).await {
            Ok(0) => {
                self.drained = drained;
                if !drained {
                    self.hold = None;
                }
            }
            Ok(code) => self.fail(NodeError::new(format!(
                "cannot record in /var/lib/pallet that the node is out of service (exit code \
                 {code})"
            ))),
            Err(error) => self.fail(NodeError::new(error.to_string())),
        }
    }
}

//! Pauses the clock of a session's evaluation while it waits.

use std::rc::Rc;
use std::time::Duration;

use starlark::eval::Evaluator;

use super::eval_context::{EvalContext, SessionContext};

/// A pause, until it is dropped.
pub(crate) struct Pause {
    session: Rc<SessionContext>,
    left: Duration,
}

impl Pause {
    /// Pauses the evaluation of a session. Returns `None` in a phase function, or outside a
    /// session.
    pub(crate) fn of(evaluator: &Evaluator<'_, '_, '_>) -> Option<Self> {
        let Some(EvalContext::Session(session)) = EvalContext::of(evaluator) else { return None };
        if session.phase.borrow().is_some() {
            return None;
        }
        Some(Pause { session: session.clone(), left: session.clock.pause() })
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.session.clock.resume(self.left);
    }
}

//! A pause of a session's evaluation: what it waits for does not count for its time.

use std::rc::Rc;
use std::time::Duration;

use starlark::eval::Evaluator;

use super::eval_context::{EvalContext, SessionContext};

/// A pause; it ends when it is dropped.
pub(crate) struct Pause {
    session: Rc<SessionContext>,
    left: Duration,
}

impl Pause {
    /// Pauses the evaluation of a session; `None` if it is no session's, or a phase function of it.
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

//! Phase functions of a session: they belong to its evaluation, so its own thread calls them while
//! an operation waits for them.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use pallet_core::engine::PhaseError;
use pallet_core::plugin::Request;

use super::slot::PhaseSlot;

/// The way to the thread that evaluates the inputs of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct PhaseCalls(Arc<Mutex<Option<Box<dyn PhaseCaller>>>>);

/// Has the thread that evaluates call a function.
pub(crate) trait PhaseCaller: std::fmt::Debug + Send {
    /// Hands the call over; `false` if nobody calls any more.
    fn send(&self, call: PhaseCall) -> bool;
}

/// A phase function that is to be called.
pub(crate) struct PhaseCall {
    pub(crate) slot: Arc<PhaseSlot>,
    pub(crate) request: Request,
    /// Takes how it went.
    pub(crate) answer: Sender<Result<(), PhaseError>>,
}

impl PhaseCalls {
    /// From now on this one has the functions called; `None`: nobody.
    pub(crate) fn set(&self, caller: Option<Box<dyn PhaseCaller>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = caller;
    }

    /// Calls the function of a slot for a request, and waits for the end of that.
    pub(crate) fn call(&self, slot: &Arc<PhaseSlot>, request: &Request) -> Result<(), PhaseError> {
        let (answer, answered) = channel();
        let call = PhaseCall { slot: slot.clone(), request: request.clone(), answer };
        let sent = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|caller| caller.send(call));
        let gone = || PhaseError {
            message: format!(
                "the phase `{}` belongs to a session that no longer waits for it",
                slot.phase
            ),
            source_location: None,
            timed_out: false,
            rendered: String::new(),
        };
        if sent { answered.recv().unwrap_or_else(|_| Err(gone())) } else { Err(gone()) }
    }
}

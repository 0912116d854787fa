//! Phase functions of a session. They belong to its evaluation, so the evaluation's thread calls
//! them while an operation waits.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use pallet_core::engine::PhaseError;
use pallet_core::plugin::Request;

use super::slot::PhaseSlot;

/// The connection to the thread that evaluates a session's inputs.
#[derive(Debug, Clone, Default)]
pub(crate) struct PhaseCalls(Arc<Mutex<Option<Box<dyn PhaseCaller>>>>);

/// Sends calls to the evaluating thread.
pub(crate) trait PhaseCaller: std::fmt::Debug + Send {
    /// Sends a call; `false` if nobody receives it any more.
    fn send(&self, call: PhaseCall) -> bool;
}

/// A call of a phase function.
pub(crate) struct PhaseCall {
    pub(crate) slot: Arc<PhaseSlot>,
    pub(crate) request: Request,
    /// Receives the result.
    pub(crate) answer: Sender<Result<(), PhaseError>>,
}

impl PhaseCalls {
    /// Sets the receiver of calls; `None`: there is none.
    pub(crate) fn set(&self, caller: Option<Box<dyn PhaseCaller>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = caller;
    }

    /// Calls a phase function with a request, and waits for the result.
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

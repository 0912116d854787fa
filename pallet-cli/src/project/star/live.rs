//! Phase functions of a session: they belong to its evaluation, so its own thread calls them while
//! an operation waits for them.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use pallet_core::engine::PhaseError;
use pallet_core::plugin::Request;

use super::registry::Slot;

/// The way to the thread that evaluates the inputs of a session.
#[derive(Debug, Clone, Default)]
pub(crate) struct Live(Arc<Mutex<Option<Box<dyn Caller>>>>);

/// Has the thread that evaluates call a function.
pub(crate) trait Caller: std::fmt::Debug + Send {
    /// Hands the call over; `false` if nobody calls any more.
    fn hand_over(&self, call: LiveCall) -> bool;
}

/// A phase function that is to be called.
pub(crate) struct LiveCall {
    pub(crate) slot: Arc<Slot>,
    pub(crate) request: Request,
    /// Takes how it went.
    pub(crate) answer: Sender<Result<(), PhaseError>>,
}

impl Live {
    /// From now on this one has the functions called; `None`: nobody.
    pub(crate) fn set(&self, caller: Option<Box<dyn Caller>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = caller;
    }

    /// Calls the function of a slot for a request, and waits for the end of that.
    pub(crate) fn call(&self, slot: &Arc<Slot>, request: &Request) -> Result<(), PhaseError> {
        let (answer, answered) = channel();
        let call = LiveCall { slot: slot.clone(), request: request.clone(), answer };
        let handed_over = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .is_some_and(|caller| caller.hand_over(call));
        let gone = || PhaseError {
            message: format!(
                "the phase `{}` belongs to a session that does not wait for it any \
                more",
                slot.phase
            ),
            source_location: None,
            timed_out: false,
            rendered: String::new(),
        };
        if handed_over { answered.recv().unwrap_or_else(|_| Err(gone())) } else { Err(gone()) }
    }
}

//! Forwards progress messages of providers.

use std::sync::{Arc, Mutex, PoisonError};

/// Forwards progress messages of providers during long operations; drops them until a receiver is
/// set.
#[derive(Clone, Default)]
pub(crate) struct ProviderMessages(Arc<Mutex<Option<Callback>>>);

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

impl ProviderMessages {
    /// Sets the receiver.
    pub(crate) fn send_to(&self, told: Option<Callback>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Sends a message to the current receiver.
    pub(crate) fn send(&self, message: &str) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(told) = told {
            told(message);
        }
    }
}

//! Who is told what providers say.

use std::sync::{Arc, Mutex, PoisonError};

/// Who is told what providers say while something takes long; nobody until it is set.
#[derive(Clone, Default)]
pub(crate) struct ProviderMessages(Arc<Mutex<Option<Callback>>>);

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

impl ProviderMessages {
    /// From now on this one is told.
    pub(crate) fn send_to(&self, told: Option<Callback>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Tells, whoever listens now.
    pub(crate) fn send(&self, message: &str) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(told) = told {
            told(message);
        }
    }
}

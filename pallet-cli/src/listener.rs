//! Who is told what providers say.

use std::sync::{Arc, Mutex, PoisonError};

/// Who is told what providers say while something takes long; nobody until it is set.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Mutex<Option<Told>>>);

type Told = Arc<dyn Fn(&str) + Send + Sync>;

impl Listener {
    /// From now on this one is told.
    pub(crate) fn set(&self, told: Option<Told>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    /// Tells, whoever listens now.
    pub(crate) fn tell(&self, message: &str) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(told) = told {
            told(message);
        }
    }
}

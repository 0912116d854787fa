//! When a script may begin on a node, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Gate, InputPart};

/// When what is given to a node's shell may begin, and how long it may take from then on.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// It begins when there is room; the shell has answered by then, so that one that does not
    /// answer takes no room.
    pub room: Option<Arc<Semaphore>>,
    /// It is given up after so long.
    pub limit: Option<Duration>,
    /// Whether it may use the ssh agent of this machine: a script finds its socket in
    /// `SSH_AUTH_SOCK`.
    pub agent: bool,
}

impl Turn {
    /// What holds back an input until the turn has come, and what lets it through.
    pub(super) fn gated(&self) -> (Vec<InputPart>, Gate) {
        let gate = Gate::default();
        let part = self.room.is_some().then(|| InputPart::Gate(gate.clone()));
        (part.into_iter().collect(), gate)
    }
}

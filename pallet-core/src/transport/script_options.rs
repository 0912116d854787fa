//! When a script may begin on a node, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Gate, InputPart};

/// How something runs on a node.
#[derive(Debug, Clone, Default)]
pub struct ScriptOptions {
    /// How many may run at the same time. It waits for a slot only once the node's shell has
    /// answered, so that a node that does not answer takes none.
    pub slots: Option<Arc<Semaphore>>,
    /// The time after which it is given up.
    pub limit: Option<Duration>,
    /// Whether it may use the ssh agent of this machine: a script finds its socket in
    /// `SSH_AUTH_SOCK`.
    pub agent: bool,
}

impl ScriptOptions {
    /// What holds back an input until there is a slot, and what lets it through.
    pub(super) fn gated(&self) -> (Vec<InputPart>, Gate) {
        let gate = Gate::default();
        let part = self.slots.is_some().then(|| InputPart::Gate(gate.clone()));
        (part.into_iter().collect(), gate)
    }
}

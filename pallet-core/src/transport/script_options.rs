//! When a script may start on a node, and how long it may take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::{Gate, InputPart};

/// Options for running a script or a program on a node.
#[derive(Debug, Clone, Default)]
pub struct ScriptOptions {
    /// Limits how many run at the same time. A script waits for a slot only once the node's shell
    /// has answered, so nodes that do not answer take no slot.
    pub slots: Option<Arc<Semaphore>>,
    /// The timeout.
    pub limit: Option<Duration>,
    /// Whether the script may use this machine's ssh agent, through `SSH_AUTH_SOCK`.
    pub agent: bool,
}

impl ScriptOptions {
    /// Returns the input that waits for a slot, and the gate that lets the rest through.
    pub(super) fn gated(&self) -> (Vec<InputPart>, Gate) {
        let gate = Gate::default();
        let part = self.slots.is_some().then(|| InputPart::Gate(gate.clone()));
        (part.into_iter().collect(), gate)
    }
}

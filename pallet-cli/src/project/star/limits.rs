//! What bounds the evaluation of a project: time, depth and memory.

use std::cell::Cell;
use std::time::{Duration, Instant};

use starlark::eval::Evaluator;

use super::complaint::Complaint;

/// How deep functions may call each other.
pub(crate) const DEPTH: usize = 200;

/// How much memory the values of one evaluation may take, in bytes.
pub(crate) const MEMORY: usize = 512 << 20;

/// The complaint about values that take more.
pub(crate) fn too_much_memory() -> Complaint {
    Complaint::new("the values of the project take too much memory").help("does something double in each round of a loop?".to_owned())
}

/// How long one evaluation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The top level of a file, or one phase function on one node.
    pub(crate) time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { time: Duration::from_secs(10) }
    }
}

impl Limits {
    /// Bounds an evaluation that begins now.
    pub(crate) fn apply(self, evaluator: &mut Evaluator<'_, '_, '_>) -> anyhow::Result<()> {
        let (begun, stopped) = (Instant::now(), Cell::new(false));
        // told once: when it is over, Starlark asks again, and that answer would hide the place where it was stopped
        evaluator.set_check_cancelled(Box::new(move || begun.elapsed() > self.time && !stopped.replace(true)));
        evaluator.set_max_callstack_size(DEPTH)?;
        evaluator.set_max_heap_size(MEMORY)
    }
}

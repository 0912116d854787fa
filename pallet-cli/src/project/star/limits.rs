//! The limits of an evaluation: time, depth and memory.

use std::cell::Cell;
use std::time::Duration;

use starlark::eval::Evaluator;

use super::function_error::FunctionError;
use crate::process::processor_time::of_thread;

/// Maximum depth of nested calls.
pub(crate) const DEPTH: usize = 200;

/// Maximum memory for the values of one evaluation, in bytes.
pub(crate) const MEMORY: usize = 512 << 20;

/// The error about exceeding it.
pub(crate) fn too_much_memory() -> FunctionError {
    FunctionError::new("the project uses too much memory")
        .help("does a value double in each iteration of a loop?".to_owned())
}

/// Timeout of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// For the top level of a file, or for one phase function on one node.
    pub(crate) time: Duration,
}

/// The remaining time of an evaluation, without the time that it waits.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// When the time is over; `None` while it waits.
    deadline: Cell<Option<Duration>>,
    stopped: Cell<bool>,
}

impl Clock {
    /// Starts the clock.
    pub(crate) fn begin(&self, limits: Limits) {
        self.deadline.set(Some(of_thread() + limits.time));
        self.stopped.set(false);
    }

    /// Stops the clock and returns the remaining time.
    pub(crate) fn pause(&self) -> Duration {
        self.deadline
            .take()
            .map(|deadline| deadline.saturating_sub(of_thread()))
            .unwrap_or_default()
    }

    /// Starts the clock again with the remaining time.
    pub(crate) fn resume(&self, left: Duration) {
        self.deadline.set(Some(of_thread() + left));
        self.stopped.set(false);
    }

    /// Whether the time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| of_thread() > deadline)
    }

    /// Whether to stop the evaluation now; true only once.
    pub(crate) fn stop(&self, asked: bool) -> bool {
        (asked || self.is_over()) && !self.stopped.replace(true)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits { time: Duration::from_secs(10) }
    }
}

impl Limits {
    /// Applies the limits to an evaluation that begins now.
    pub(crate) fn apply(self, evaluator: &mut Evaluator<'_, '_, '_>) -> anyhow::Result<()> {
        let (begun, stopped) = (of_thread(), Cell::new(false));
        // true only once: Starlark asks again at the end, and a second error would hide the place
        // of the first
        evaluator.set_check_cancelled(Box::new(move || {
            of_thread().saturating_sub(begun) > self.time && !stopped.replace(true)
        }));
        bound(evaluator)
    }
}

/// Limits the depth and the memory of an evaluation.
pub(crate) fn bound(evaluator: &mut Evaluator<'_, '_, '_>) -> anyhow::Result<()> {
    evaluator.set_max_callstack_size(DEPTH)?;
    evaluator.set_max_heap_size(MEMORY)
}

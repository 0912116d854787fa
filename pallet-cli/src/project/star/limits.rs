//! What bounds the evaluation of a project: time, depth and memory.

use std::cell::Cell;
use std::time::{Duration, Instant};

use starlark::eval::Evaluator;

use super::function_error::FunctionError;

/// How deep functions may call each other.
pub(crate) const DEPTH: usize = 200;

/// How much memory the values of one evaluation may take, in bytes.
pub(crate) const MEMORY: usize = 512 << 20;

/// The complaint about values that take more.
pub(crate) fn too_much_memory() -> FunctionError {
    FunctionError::new("the project uses too much memory")
        .help("does a value double in each iteration of a loop?".to_owned())
}

/// How long one evaluation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The top level of a file, or one phase function on one node.
    pub(crate) time: Duration,
}

/// How long an evaluation may still take, where what it waits for does not count.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// When it will have taken too long; `None`: it waits.
    deadline: Cell<Option<Instant>>,
    stopped: Cell<bool>,
}

impl Clock {
    /// It begins now.
    pub(crate) fn begin(&self, limits: Limits) {
        self.deadline.set(Some(Instant::now() + limits.time));
        self.stopped.set(false);
    }

    /// It waits for something; gives what is left of its time.
    pub(crate) fn pause(&self) -> Duration {
        self.deadline
            .take()
            .map(|deadline| deadline.saturating_duration_since(Instant::now()))
            .unwrap_or_default()
    }

    /// It goes on, with what was left of its time.
    pub(crate) fn resume(&self, left: Duration) {
        self.deadline.set(Some(Instant::now() + left));
        self.stopped.set(false);
    }

    /// Whether its time is over.
    pub(crate) fn is_over(&self) -> bool {
        self.deadline.get().is_some_and(|deadline| Instant::now() > deadline)
    }

    /// Whether to stop it now; said once.
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
    /// Bounds an evaluation that begins now.
    pub(crate) fn apply(self, evaluator: &mut Evaluator<'_, '_, '_>) -> anyhow::Result<()> {
        let (begun, stopped) = (Instant::now(), Cell::new(false));
        // told once: when it is over, Starlark asks again, and that answer would hide the place
        // where it was stopped
        evaluator.set_check_cancelled(Box::new(move || {
            begun.elapsed() > self.time && !stopped.replace(true)
        }));
        bound(evaluator)
    }
}

/// Bounds depth and memory of an evaluation.
pub(crate) fn bound(evaluator: &mut Evaluator<'_, '_, '_>) -> anyhow::Result<()> {
    evaluator.set_max_callstack_size(DEPTH)?;
    evaluator.set_max_heap_size(MEMORY)
}

//! Ctrl-C in a session: it stops the current work, never the session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::operation::Reporter;
use crate::process::{exit_now, in_background, with_deadline};

/// The work that Ctrl-C would stop now.
#[derive(Default)]
pub(crate) struct Interrupt {
    operation: Mutex<Option<Running>>,
    /// Whether the evaluation should stop.
    evaluation: AtomicBool,
    /// Whether the session is waiting for input lines.
    reading: AtomicBool,
}

/// A running operation.
pub(crate) struct Running {
    pub(crate) cancel: CancellationToken,
    pub(crate) reporter: Reporter,
    /// Makes the waiting thread stop waiting.
    pub(crate) abandon: Box<dyn Fn() + Send>,
    /// What is being waited for was told.
    pub(crate) told: bool,
}

impl Interrupt {
    /// Registers an operation; [`Interrupt::end`] removes it.
    pub(crate) fn begin(&self, running: Running) {
        *self.running() = Some(running);
    }

    /// Removes the operation.
    pub(crate) fn end(&self) {
        *self.running() = None;
    }

    /// Forgets an earlier Ctrl-C.
    pub(crate) fn clear(&self) {
        self.evaluation.store(false, Ordering::Relaxed);
    }

    /// Whether the evaluation should stop.
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.evaluation.load(Ordering::Relaxed)
    }

    /// Sets whether the session is waiting for input lines.
    pub(crate) fn read(&self, reading: bool) {
        self.reading.store(reading, Ordering::Relaxed);
    }

    /// Handles Ctrl-C, or the end of the process. Cancels the running operation and, the second
    /// time, no longer waits for it; a script first tells what it waits for. Without an operation,
    /// stops the evaluation.
    pub(crate) fn interrupt(&self, interactive: bool, ends: bool) {
        let interactive = interactive && !ends;
        let mut running = self.running();
        match running.as_mut() {
            Some(operation) if operation.cancel.is_cancelled() => {
                let reporter = operation.reporter.clone();
                if !interactive && !std::mem::replace(&mut operation.told, true) {
                    return with_deadline(move || reporter.waiting("to quit immediately"));
                }
                if !interactive {
                    exit_now(move || reporter.abandon());
                }
                (operation.abandon)();
                in_background(move || reporter.abandon());
            }
            Some(operation) => {
                let reporter = operation.reporter.clone();
                // printed before the operation can end and the next prompt appears
                with_deadline(move || {
                    reporter.stopping(if interactive {
                        "to stop waiting"
                    } else {
                        "to see what is being waited for"
                    })
                });
                operation.cancel.cancel();
                // a script ends with its current operation
                self.evaluation.store(!interactive, Ordering::Relaxed);
            }
            // nothing else would end a wait for lines of a pipe
            None if ends || !interactive && self.reading.load(Ordering::Relaxed) => exit_now(|| ()),
            None => self.evaluation.store(true, Ordering::Relaxed),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.operation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

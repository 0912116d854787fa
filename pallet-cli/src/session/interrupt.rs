//! Ctrl-C in a session: it stops what is going on, and never the session.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::operation::Reporter;
use crate::process::{exit_now, in_background, with_deadline};

/// What Ctrl-C would stop now.
#[derive(Default)]
pub(crate) struct Interrupt {
    operation: Mutex<Option<Running>>,
    /// The evaluation is asked to stop.
    evaluation: AtomicBool,
    /// Nothing goes on: lines are waited for.
    reading: AtomicBool,
}

/// An operation that runs.
pub(crate) struct Running {
    pub(crate) cancel: CancellationToken,
    pub(crate) reporter: Reporter,
    /// Lets whoever waits for it wait no more.
    pub(crate) abandon: Box<dyn Fn() + Send>,
}

impl Interrupt {
    /// An operation begins; it ends with [`Interrupt::end`].
    pub(crate) fn begin(&self, running: Running) {
        *self.running() = Some(running);
    }

    /// No operation runs any more.
    pub(crate) fn end(&self) {
        *self.running() = None;
    }

    /// Forgets a Ctrl-C that came before.
    pub(crate) fn clear(&self) {
        self.evaluation.store(false, Ordering::Relaxed);
    }

    /// Whether the evaluation is asked to stop.
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.evaluation.load(Ordering::Relaxed)
    }

    /// Says whether lines are waited for.
    pub(crate) fn read(&self, reading: bool) {
        self.reading.store(reading, Ordering::Relaxed);
    }

    /// Ctrl-C was pressed, or the process is to end: an operation is told to end, the second time
    /// it is not waited for; without one the evaluation ends.
    pub(crate) fn interrupt(&self, interactive: bool, ends: bool) {
        let interactive = interactive && !ends;
        let running = self.running();
        match running.as_ref() {
            Some(operation) if operation.cancel.is_cancelled() => {
                let reporter = operation.reporter.clone();
                if !interactive {
                    exit_now(move || reporter.abandon());
                }
                (operation.abandon)();
                in_background(move || reporter.abandon());
            }
            Some(operation) => {
                let reporter = operation.reporter.clone();
                // it is said before the operation can be over, and the next prompt come
                with_deadline(move || {
                    reporter.stopping(if interactive {
                        "to stop waiting"
                    } else {
                        "to quit immediately"
                    })
                });
                operation.cancel.cancel();
                // a script ends with what it was at
                self.evaluation.store(!interactive, Ordering::Relaxed);
            }
            // nothing would end a wait for lines of a pipe
            None if ends || !interactive && self.reading.load(Ordering::Relaxed) => exit_now(|| ()),
            None => self.evaluation.store(true, Ordering::Relaxed),
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.operation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

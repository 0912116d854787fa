//! Waits for an operation on the runtime, and meanwhile calls the session's phase functions for it.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use pallet_core::engine::{Engine, EngineConfig, EngineError, Outcome};
use starlark::eval::Evaluator;

use super::interrupt::Running;
use super::outcome;
use super::state::Session;
use crate::context::Asked;
use crate::diagnostic::{Diagnostics, Severity};
use crate::operation::Reporter;
use crate::process::{INTERRUPTED, SOME_NODE_FAILED, exit_code};
use crate::project::star::table::TableValue;
use crate::project::star::{FunctionError, Pause, PhaseCall, PhaseCaller, call_phase};

/// A message to the waiting thread.
enum Message<T> {
    Call(PhaseCall),
    Done(anyhow::Result<T>),
    Abandon,
}

struct Calls<T>(Sender<Message<T>>);

impl<T> fmt::Debug for Calls<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

impl<T: Send> PhaseCaller for Calls<T> {
    fn send(&self, call: PhaseCall) -> bool {
        self.0.send(Message::Call(call)).is_ok()
    }
}

/// How often the waiting thread checks whether the operation's thread has died.
const LOOK: Duration = Duration::from_millis(500);

impl Session {
    /// Runs `work` with an engine until it ends or Ctrl-C stops it. `function` is the name of the
    /// calling session function.
    pub(super) fn wait<T, F>(
        &self,
        function: &str,
        evaluator: &mut Evaluator<'_, '_, '_>,
        work: impl FnOnce(Engine, Reporter) -> F + Send + 'static,
    ) -> Result<T, FunctionError>
    where
        T: Send + 'static,
        F: Future<Output = anyhow::Result<T>>,
    {
        let pause = Pause::of(evaluator).ok_or_else(|| {
            FunctionError::new(format!(
                "{function} operates on nodes and cannot be called in a phase"
            ))
            .help("call it outside phase functions".to_owned())
        })?;
        let engine = self.engine().map_err(|error| self.complaint(error))?;
        let engine = engine.with(EngineConfig {
            declared: Some(self.all_groups(evaluator)),
            ..engine.config().clone()
        });
        // only operations are written, and they begin with `Started`
        let journal = self.journal.then(|| {
            let call = evaluator.call_stack_top_location();
            let text = call.as_ref().map_or(function, |call| call.source_span());
            self.context().journaled(&engine, &self.loaded(), Asked::call(function, text))
        });
        let (engine, journal) = match journal {
            Some((engine, journal)) => (engine, Some(journal)),
            None => (engine, None),
        };
        let (reporter, engine) = Reporter::begin(&self.base, &self.loaded(), &engine);
        let cancel = engine.cancel.clone();
        let (sender, messages) = channel();
        let abandoned = sender.clone();
        let abandon = Box::new(move || {
            // fails only if nobody waits any more
            let _ = abandoned.send(Message::Abandon);
        });
        self.interrupt.begin(Running {
            cancel: cancel.clone(),
            reporter: reporter.clone(),
            abandon,
            told: false,
        });
        self.live.set(Some(Box::new(Calls(sender.clone()))));
        let runtime = self.handle.clone();
        let told = reporter.clone();
        let thread = std::thread::Builder::new().name("operation".to_owned()).spawn(move || {
            let done = runtime.block_on(work(engine, told));
            // fails only if it was abandoned
            let _ = sender.send(Message::Done(done));
        });
        let result = match &thread {
            Err(error) => Err(anyhow::anyhow!("cannot start a thread: {error}")),
            Ok(thread) => loop {
                match messages.recv_timeout(LOOK) {
                    Ok(Message::Call(call)) => call_phase(call, evaluator),
                    Ok(Message::Done(done)) => break done,
                    Ok(Message::Abandon) => {
                        break Err(anyhow::anyhow!("{function} was abandoned"));
                    }
                    Err(RecvTimeoutError::Timeout) if !thread.is_finished() => {}
                    Err(_) => {
                        break messages
                            .try_recv()
                            .ok()
                            .and_then(|last| match last {
                                Message::Done(done) => Some(done),
                                _ => None,
                            })
                            .unwrap_or_else(|| Err(anyhow::anyhow!("{function} ended early")));
                    }
                }
            },
        };
        self.live.set(None);
        self.interrupt.end();
        self.base.messages.send_to(None);
        drop(pause);
        if result.is_err() {
            reporter.abandon();
        }
        reporter.tell_others();
        if cancel.is_cancelled() && !self.is_interactive() {
            self.remember(INTERRUPTED);
            return Err(FunctionError::new(format!("{function} was stopped")));
        }
        let done = result.map_err(|error| self.complaint(error))?;
        self.base.warn_of_lost_records(journal.as_deref());
        Ok(done)
    }

    /// Runs an operation and prints its outcome. Returns None if the user did not agree to the
    /// plan.
    pub(super) fn wait_for<F>(
        &self,
        function: &str,
        evaluator: &mut Evaluator<'_, '_, '_>,
        operation: impl FnOnce(Engine, Reporter) -> F + Send + 'static,
    ) -> Result<Option<TableValue>, FunctionError>
    where
        F: Future<Output = Result<Option<Outcome>, EngineError>>,
    {
        let done = self.wait(function, evaluator, async move |engine, reporter| {
            let outcome = operation(engine, reporter.clone()).await?;
            if let Some(outcome) = &outcome {
                reporter.end(outcome);
            }
            Ok(outcome.map(|outcome| (outcome, reporter.changes())))
        })?;
        let Some((outcome, changes)) = done else { return Ok(None) };
        self.remember(crate::operation::exit_code(&outcome));
        self.mark_shown();
        Ok(Some(outcome::table(&outcome, &changes)))
    }

    /// Converts an error to one of the called function. Errors of the project are printed in full.
    pub(super) fn complaint(&self, error: anyhow::Error) -> FunctionError {
        if exit_code(&error) == SOME_NODE_FAILED {
            self.remember(SOME_NODE_FAILED);
        }
        match error.downcast::<Diagnostics>() {
            Ok(found) => {
                let errors = found.0.iter().filter(|one| one.severity == Severity::Error).count();
                match found.0.as_slice() {
                    [one] if one.place.is_none() => {
                        FunctionError::new(one.message.clone()).help(one.suggestion.clone())
                    }
                    _ => {
                        self.base.printer.diagnostics(&found);
                        FunctionError::new(format!(
                            "the project has {errors} {}",
                            if errors == 1 { "error" } else { "errors" }
                        ))
                    }
                }
            }
            Err(error) => FunctionError::new(format!("{error:#}")),
        }
    }
}

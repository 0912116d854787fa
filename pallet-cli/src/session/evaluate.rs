//! Evaluates the inputs of a session.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use starlark::values::Value;

use super::functions::functions;
use super::state::Session;
use crate::diagnostic::Diagnostics;
use crate::process::Failure;
use crate::project::star::{InputContext, Inputs, Language, with_inputs, with_room};

impl Session {
    /// Runs `work` on a thread with enough stack to evaluate inputs.
    pub(super) fn evaluating<T: Send>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Inputs<'_, '_>) -> T + Send,
    ) -> anyhow::Result<T> {
        let loaded = self.loaded();
        let (printer, interrupt) = (self.base.printer.clone(), self.interrupt.clone());
        let secrets: Vec<String> = loaded.project.config.secrets.keys().cloned().collect();
        let context = InputContext {
            language: Language::with(secrets.iter().map(String::as_str), functions(self)),
            catalog: self.clone(),
            live: self.live.clone(),
            print: Arc::new(move |line| printer.printed(line)),
            stop: Arc::new(move || interrupt.is_stop_requested()),
        };
        let done = with_room(|| with_inputs(&context, &loaded.project, work))
            .map_err(Diagnostics::from)?;
        self.handle.block_on(self.connections.close());
        Ok(done)
    }

    /// Checks and evaluates one input, and returns its value.
    pub(super) fn input<'v>(
        &self,
        inputs: &mut Inputs<'v, '_>,
        file: &str,
        code: &str,
    ) -> anyhow::Result<Value<'v>> {
        if self.is_interactive() {
            self.interrupt.clear();
        }
        self.told.store(false, Ordering::Relaxed);
        inputs.check(file, code)?;
        let result = inputs.evaluate(file, code);
        if self.reloaded.swap(false, Ordering::Relaxed) {
            for name in inputs.take(&self.loaded().project) {
                self.base
                    .printer
                    .status(&format!("your definition of `{name}` hides the project's"));
            }
        }
        match result {
            Err(_) if self.interrupt.is_stop_requested() => Err(Failure::interrupted().into()),
            Err(found) => Err(found.into()),
            Ok(value) => Ok(value),
        }
    }
}

//! A project function as a phase of the engine.

use std::sync::Arc;

use pallet_core::engine::{PhaseError, PhaseFunction};
use pallet_core::plugin::Request;
use pallet_core::plugin::operation::{self, Log};
use starlark::PrintHandler;
use starlark::values::OwnedFrozenValue;

use super::call::Call;
use super::declared::DeclaredPhase;
use super::error::diagnose;
use super::eval_context::EvalContext;
use super::function_error::FunctionError;
use super::guard;
use crate::diagnostic::Diagnostic;
use crate::process::processor_time::of_thread;

/// A project function as a phase of the engine.
#[derive(Debug)]
pub(crate) struct StarPhase {
    pub(crate) declared: Arc<DeclaredPhase>,
}

impl PhaseFunction for StarPhase {
    fn call(&self, request: &mut Request) -> Result<(), PhaseError> {
        let DeclaredPhase { slot, function, live } = self.declared.as_ref();
        if let (None, Some(live)) = (function.get(), live) {
            return live.call(slot, request);
        }
        let function = function.get().ok_or_else(|| {
            FunctionError::new(format!("the phase `{}` cannot be called yet", slot.phase))
        });
        let print = PhasePrint(request.clone());
        let request: &Request = request;
        let evaluate = |function: &OwnedFrozenValue| {
            let context = EvalContext::Phase {
                declared: slot.declared.as_ref().map(|place| place.location()),
            };
            let call = Call {
                request,
                context: &context,
                print: &print,
                limits: slot.run.limits,
                named: &[],
            };
            call.run(function, |_| Ok(()))
        };
        let what = format!("the function of phase `{}`", slot.phase);
        let (limits, colour) = (slot.run.limits, slot.run.colour);
        let result = guard::with_room(|| {
            let begun = of_thread();
            let result = function.map_err(starlark::Error::from).and_then(evaluate);
            result.map_err(|error| PhaseError {
                timed_out: of_thread().saturating_sub(begun) > limits.time,
                ..phase_error(&diagnose(&error, &what, limits, slot.declared.clone()), colour)
            })
        });
        result.unwrap_or_else(|error| Err(phase_error(&error, colour)))
    }
}

/// Converts a diagnostic to a phase error.
pub(crate) fn phase_error(diagnostic: &Diagnostic, colour: bool) -> PhaseError {
    PhaseError {
        message: diagnostic.one_line(),
        source_location: diagnostic.place.as_ref().map(|place| place.location()),
        timed_out: false,
        rendered: diagnostic.render(colour),
    }
}

/// Reports the output of a phase function to the user, for its node.
pub(crate) struct PhasePrint(pub(crate) Request);

impl PrintHandler for PhasePrint {
    fn println(&self, text: &str) -> starlark::Result<()> {
        let log = Log { level: "info".into(), message: text.to_owned() };
        let payload = serde_json::to_value(log).map_err(anyhow::Error::new)?;
        self.0.invoke(operation::LOG, payload).map_err(FunctionError::from)?;
        Ok(())
    }
}

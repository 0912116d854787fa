//! Calls a function of a module that has been evaluated, with a request.

use pallet_core::plugin::Request;
use serde_json::Value as Json;
use starlark::PrintHandler;
use starlark::environment::Module;
use starlark::eval::Evaluator;
use starlark::values::{Heap, OwnedFrozenValue, Value};

use super::eval_context::EvalContext;
use super::guard;
use super::limits::Limits;
use super::request::RequestValue;

/// A call of a function.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) context: &'a EvalContext,
    pub(super) print: &'a dyn PrintHandler,
    pub(super) limits: Limits,
    /// Arguments by name.
    pub(super) named: &'a [(String, Argument)],
}

/// An argument of a call.
#[derive(Debug)]
pub(super) enum Argument {
    Plain(Json),
    /// A number where the function wants one with a fraction.
    Float(f64),
}

impl Argument {
    fn alloc<'v>(&self, heap: Heap<'v>) -> Value<'v> {
        match self {
            Argument::Plain(value) => heap.alloc(value.clone()),
            Argument::Float(value) => heap.alloc(*value),
        }
    }
}

impl Call<'_> {
    /// Calls the function, and reads its result.
    pub(super) fn run<R>(
        &self,
        function: &OwnedFrozenValue,
        read: impl FnOnce(Value<'_>) -> starlark::Result<R>,
    ) -> starlark::Result<R> {
        Module::with_temp_heap(|module| {
            let function = module.heap().access_owned_frozen_value(function);
            let request = module.heap().alloc(RequestValue { request: self.request.clone() });
            let named: Vec<(&str, Value<'_>)> = self
                .named
                .iter()
                .map(|(name, value)| (name.as_str(), value.alloc(module.heap())))
                .collect();
            let mut evaluator = Evaluator::new(&module);
            evaluator.extra = Some(self.context);
            evaluator.set_print_handler(self.print);
            guard::evaluate(&mut evaluator, self.limits, |evaluator| {
                read(evaluator.eval_function(function, &[request], &named)?)
            })
        })
    }
}

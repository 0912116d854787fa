//! The functions that run another function in a scope: with options for its actions, or with a
//! condition on the node.

use pallet_core::plugin::Request;
use pallet_core::plugin::operation::{self, Scope};
use serde_json::Value as Json;
use starlark::eval::Evaluator;
use starlark::values::Value;

use super::arguments::BoundArguments;
use super::function_error::FunctionError;
use super::plain_data::describe;
use super::request::{RequestValue, node_id};

/// A function that opens a scope.
#[derive(Debug, Clone, Copy)]
pub(crate) enum ScopeFunction {
    /// `with_action_options`
    Options,
    /// `plan_when`
    When,
    /// `plan_when_not`
    WhenNot,
    /// `on_node`
    OnNode,
    /// `locally`
    Locally,
    /// `run_once`
    RunOnce,
}

impl ScopeFunction {
    /// Calls the given function with the request.
    pub(crate) fn run<'v>(
        self,
        request: Request,
        bound: BoundArguments<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let name = self.name();
        let function = bound
            .value("function")
            .ok_or_else(|| FunctionError::new(format!("{name}: `function` is missing")))?;
        if function.get_type() != "function" {
            let message = format!(
                "{name}: `function` must be a function of the request, not {}",
                describe(function)
            );
            return Err(FunctionError::new(message)
                .help("pass it without calling it, or write `lambda request: ...`".to_owned())
                .into());
        }
        let heap = evaluator.heap();
        let mut call = |request: Request| {
            let argument = heap.alloc(RequestValue { request });
            evaluator.eval_function(function, &[argument], &[])
        };
        match self {
            ScopeFunction::OnNode => {
                let node = bound.value("node").map(node_id).transpose()?.flatten();
                let node = node.ok_or_else(|| FunctionError::new("on_node: `node` is missing"))?;
                return call(request.on_node(&node));
            }
            ScopeFunction::Locally => return call(request.locally()),
            ScopeFunction::RunOnce => {
                let first = request.invoke(operation::IS_FIRST, Json::Null);
                return match first.map_err(FunctionError::from)? {
                    Json::Bool(true) => call(request),
                    _ => Ok(Value::new_none()),
                };
            }
            ScopeFunction::Options | ScopeFunction::When | ScopeFunction::WhenNot => {}
        }
        let scope = self
            .scope(bound.data)
            .map_err(|error| FunctionError::new(format!("{name}: {error}")))?;
        let scope = serde_json::to_value(scope).map_err(anyhow::Error::new)?;
        request.invoke(operation::ENTER_SCOPE, scope).map_err(FunctionError::from)?;
        let result = call(request.clone());
        request.invoke(operation::LEAVE_SCOPE, Json::Null).map_err(FunctionError::from)?;
        result
    }

    fn name(self) -> &'static str {
        match self {
            ScopeFunction::Options => "with_action_options",
            ScopeFunction::When => "plan_when",
            ScopeFunction::WhenNot => "plan_when_not",
            ScopeFunction::OnNode => "on_node",
            ScopeFunction::Locally => "locally",
            ScopeFunction::RunOnce => "run_once",
        }
    }

    fn scope(self, mut data: serde_json::Map<String, Json>) -> serde_json::Result<Scope> {
        let command =
            data.remove("command").and_then(|command| command.as_str().map(str::to_owned));
        match self {
            ScopeFunction::Options => serde_json::from_value(Json::Object(data)),
            ScopeFunction::When => Ok(Scope { when: command, ..Scope::default() }),
            ScopeFunction::WhenNot => Ok(Scope { when_not: command, ..Scope::default() }),
            ScopeFunction::OnNode | ScopeFunction::Locally | ScopeFunction::RunOnce => {
                Ok(Scope::default())
            }
        }
    }
}

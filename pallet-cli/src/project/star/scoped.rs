//! The functions that run another function in a scope: with options for its actions, with a
//! condition on the node, or with others that run if it fails.

use pallet_core::action::BlockRole;
use pallet_core::plugin::Request;
use pallet_core::plugin::operation::{self, Block, Scope};
use serde::Serialize;
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
    /// `on_failure`
    OnFailure,
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
        let body = self
            .function(&bound, "function")?
            .ok_or_else(|| FunctionError::new(format!("{name}: `function` is missing")))?;
        let mut call = |request: Request| {
            let argument = evaluator.heap().alloc(RequestValue { request });
            evaluator.eval_function(body, &[argument], &[])
        };
        let command = bound.data.get("command").and_then(Json::as_str).map(str::to_owned);
        let scope = match self {
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
            ScopeFunction::OnFailure => {
                return self.on_failure(&request, &bound, body, evaluator);
            }
            ScopeFunction::Options => serde_json::from_value(Json::Object(bound.data))
                .map_err(|error| FunctionError::new(format!("{name}: {error}")))?,
            ScopeFunction::When => Scope { when: command, ..Scope::default() },
            ScopeFunction::WhenNot => Scope { when_not: command, ..Scope::default() },
        };
        within(&request, operation::ENTER_SCOPE, scope, body, evaluator)
    }

    /// Calls the functions of a block, and returns what the first one returns.
    fn on_failure<'v>(
        self,
        request: &Request,
        bound: &BoundArguments<'v>,
        body: Value<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let others = [(BlockRole::Rescue, "then"), (BlockRole::Always, "always")]
            .map(|(role, parameter)| Ok((role, self.function(bound, parameter)?)));
        let others = others.into_iter().collect::<Result<Vec<_>, FunctionError>>()?;
        let block = |role| Block { role };
        let result =
            within(request, operation::ENTER_BLOCK, block(BlockRole::Body), body, evaluator)?;
        for (role, function) in others {
            let Some(function) = function else { continue };
            within(request, operation::ENTER_BLOCK, block(role), function, evaluator)?;
        }
        Ok(result)
    }

    /// The function that was passed as this parameter, if any.
    fn function<'v>(
        self,
        bound: &BoundArguments<'v>,
        parameter: &str,
    ) -> Result<Option<Value<'v>>, FunctionError> {
        let Some(function) = bound.value(parameter) else { return Ok(None) };
        if function.get_type() == "function" {
            return Ok(Some(function));
        }
        let message = format!(
            "{}: `{parameter}` must be a function of the request, not {}",
            self.name(),
            describe(function)
        );
        Err(FunctionError::new(message)
            .help("pass it without calling it, or write `lambda request: ...`".to_owned()))
    }

    fn name(self) -> &'static str {
        match self {
            ScopeFunction::Options => "with_action_options",
            ScopeFunction::When => "plan_when",
            ScopeFunction::WhenNot => "plan_when_not",
            ScopeFunction::OnNode => "on_node",
            ScopeFunction::Locally => "locally",
            ScopeFunction::RunOnce => "run_once",
            ScopeFunction::OnFailure => "on_failure",
        }
    }
}

/// Calls a function of the request in a scope.
fn within<'v>(
    request: &Request,
    enter: &str,
    scope: impl Serialize,
    function: Value<'v>,
    evaluator: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let scope = serde_json::to_value(scope).map_err(anyhow::Error::new)?;
    request.invoke(enter, scope).map_err(FunctionError::from)?;
    let argument = evaluator.heap().alloc(RequestValue { request: request.clone() });
    let result = evaluator.eval_function(function, &[argument], &[]);
    request.invoke(operation::LEAVE_SCOPE, Json::Null).map_err(FunctionError::from)?;
    result
}

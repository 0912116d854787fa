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
        if let ScopeFunction::OnFailure = self {
            let then = self.function(&bound, "then")?;
            let always = self.function(&bound, "always")?;
            let roles = [
                (BlockRole::Body, Some(body)),
                (BlockRole::Rescue, then),
                (BlockRole::Always, always),
            ];
            let mut result = Value::new_none();
            for (role, function) in roles {
                let Some(function) = function else { continue };
                let answer =
                    within(&request, operation::ENTER_BLOCK, Block { role }, function, evaluator)?;
                if role == BlockRole::Body {
                    result = answer;
                }
            }
            return Ok(result);
        }
        let mut call = |request: Request| {
            let argument = evaluator.heap().alloc(RequestValue { request });
            evaluator.eval_function(body, &[argument], &[])
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
            ScopeFunction::OnFailure
            | ScopeFunction::Options
            | ScopeFunction::When
            | ScopeFunction::WhenNot => {}
        }
        let scope = self
            .scope(bound.data)
            .map_err(|error| FunctionError::new(format!("{name}: {error}")))?;
        within(&request, operation::ENTER_SCOPE, scope, body, evaluator)
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
            // its parts are blocks
            ScopeFunction::OnFailure => Ok(Scope::default()),
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

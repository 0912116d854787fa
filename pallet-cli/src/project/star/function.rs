//! The functions that Pallet provides to projects: actions, crate functions, and specs.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe traits"
)]

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use pallet_core::action::Options;
use pallet_core::model::secret_placeholder;
use pallet_core::plugin::Request;
use pallet_core::plugin::operation::{self, CallFunction, DeclareAction};
use serde_json::{Map, Value as Json};
use starlark::any::ProvidesStaticType;
use starlark::collections::StarlarkHasher;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::typing::Ty;
use starlark::values::{
    NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};

use super::arguments::{BoundArguments, SessionFunction};
use super::eval_context::source;
use super::function_error::FunctionError;
use super::plain_data::{describe, to_json};
use super::request::RequestValue;
use super::scoped::ScopeFunction;
use super::signature::{Argument, Signature};
use super::spec::SpecFunction;
use super::types::Kind;
use crate::project::schema::Schema;

/// A function that Pallet provides to projects.
#[derive(Debug, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct HostFunction {
    #[allocative(skip)]
    pub(crate) signature: Arc<Signature>,
    #[allocative(skip)]
    pub(crate) does: HostBehavior,
    #[allocative(skip)]
    ty: Ty,
}

starlark_simple_value!(HostFunction);

/// The effect of a call.
#[derive(Debug, Clone)]
pub(crate) enum HostBehavior {
    /// Declares this action.
    Action(&'static str),
    /// Calls this function of this crate.
    Call { config_crate: String, function: String },
    /// Creates a spec.
    Spec(SpecFunction),
    /// Refers to a secret.
    Secret,
    /// Runs a function whose actions are in a scope.
    Scope(ScopeFunction),
    /// A function of a session.
    Session(Arc<dyn SessionFunction>),
}

impl HostFunction {
    /// The function that this value is, if it is one of Pallet's.
    pub(crate) fn of(value: Value<'_>) -> Option<&HostFunction> {
        value.downcast_ref::<HostFunction>()
    }

    /// A function with this signature.
    pub(crate) fn new(signature: Arc<Signature>, does: HostBehavior) -> Self {
        let ty = signature.ty();
        HostFunction { signature, does, ty }
    }

    fn bind<'v>(
        &self,
        arguments: &Arguments<'v, '_>,
        evaluator: &Evaluator<'v, '_, '_>,
    ) -> starlark::Result<BoundArguments<'v>> {
        let positional: Vec<Value<'v>> = arguments.positions(evaluator.heap())?.collect();
        let keywords = arguments.names_map()?;
        let named: Vec<(&str, Value<'v>)> =
            keywords.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let names: Vec<&str> = named.iter().map(|(name, _)| *name).collect();
        let matched = self.signature.matched(positional.len(), &names, false);
        if let Some((_, complaint)) = matched.problems.into_iter().next() {
            return Err(complaint.into());
        }
        let mut bound = BoundArguments { data: Map::new(), values: Vec::new(), phases: Vec::new() };
        for (argument, index) in matched.arguments {
            let value = match argument {
                Argument::Positional(index) => positional.get(index).copied(),
                Argument::Named(index) => named.get(index).map(|(_, value)| *value),
                Argument::Call => None,
            };
            let (Some(value), Some(parameter)) = (value, self.signature.parameters.get(index))
            else {
                continue;
            };
            if value.is_none() && !parameter.required {
                continue;
            }
            match &parameter.kind {
                Kind::Data(node) => {
                    let data = self.data(&parameter.name, node, value)?;
                    bound.data.insert(parameter.name.clone(), data);
                }
                _ => bound.values.push((parameter.name.clone(), value)),
            }
        }
        bound.phases = matched
            .phases
            .into_iter()
            .filter_map(|index| named.get(index))
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect();
        Ok(bound)
    }

    fn data(&self, name: &str, node: &Json, value: Value<'_>) -> Result<Json, FunctionError> {
        let function = &self.signature.function;
        let data = to_json(value)
            .map_err(|complaint| FunctionError::new(format!("{function}: `{name}` {complaint}")))?;
        match Schema::new(&self.signature.root).part(node).check(&data).into_iter().next() {
            Some(problem) => {
                Err(FunctionError::new(format!("{function}: {}", problem.sentence(name)))
                    .help(problem.suggestion))
            }
            None => Ok(data),
        }
    }

    fn request(&self, bound: &BoundArguments<'_>) -> Result<Request, FunctionError> {
        let value = bound.value("request").ok_or_else(|| {
            FunctionError::new(format!("{}: `request` is missing", self.signature.function))
        })?;
        match value.downcast_ref::<RequestValue>() {
            Some(request) => Ok(request.request.clone()),
            None => Err(self.signature.no_request(&describe(value))),
        }
    }

    fn ask(
        &self,
        bound: &mut BoundArguments<'_>,
        evaluator: &Evaluator<'_, '_, '_>,
    ) -> Result<Json, FunctionError> {
        let request = self.request(bound)?;
        let source = source(evaluator);
        let arguments = std::mem::take(&mut bound.data);
        let (operation, payload) = match &self.does {
            HostBehavior::Action(action) => {
                let (options, arguments) = split_options(arguments, &self.signature.root)
                    .map_err(|error| FunctionError::new(format!("{action}: {error}")))?;
                let declared =
                    DeclareAction { action: (*action).to_owned(), arguments, options, source };
                (operation::ACTION, serde_json::to_value(declared))
            }
            HostBehavior::Call { config_crate, function } => {
                let call = CallFunction {
                    config_crate: config_crate.clone(),
                    function: function.clone(),
                    arguments: Json::Object(arguments),
                    source,
                };
                (operation::CALL, serde_json::to_value(call))
            }
            HostBehavior::Spec(_)
            | HostBehavior::Scope(_)
            | HostBehavior::Secret
            | HostBehavior::Session(_) => return Ok(Json::Null),
        };
        let payload = payload
            .map_err(|error| FunctionError::new(format!("{}: {error}", self.signature.function)))?;
        request.invoke(operation, payload).map_err(|error| {
            let complaint = FunctionError::from(error);
            let named = complaint.message.starts_with(self.signature.function.as_str());
            let message = if named {
                complaint.message
            } else {
                format!("{}: {}", self.signature.function, complaint.message)
            };
            FunctionError { message, help: complaint.help }
        })
    }
}

/// The options of every action among the arguments of one, and the others. `root` is the schema of
/// the action's own parameters.
fn split_options(
    mut arguments: Map<String, Json>,
    root: &Json,
) -> serde_json::Result<(Options, Json)> {
    let mut options = Map::new();
    for name in Options::NAMES {
        if root["properties"].get(name).is_some() {
            continue;
        }
        if let Some(value) = arguments.remove(name) {
            options.insert(name.to_owned(), value);
        }
    }
    Ok((serde_json::from_value(Json::Object(options))?, Json::Object(arguments)))
}

impl fmt::Display for HostFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.signature.function)
    }
}

#[starlark_value(type = "function")]
impl<'v> StarlarkValue<'v> for HostFunction {
    fn invoke(
        &self,
        _me: Value<'v>,
        arguments: &Arguments<'v, '_>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let mut bound = self.bind(arguments, evaluator)?;
        match &self.does {
            HostBehavior::Spec(spec) => Ok(spec.make(&self.signature, bound, evaluator)?),
            HostBehavior::Secret => {
                let name = bound.data.get("name").and_then(Json::as_str).unwrap_or_default();
                Ok(evaluator.heap().alloc(secret_placeholder(name)))
            }
            HostBehavior::Scope(scope) => scope.run(self.request(&bound)?, bound, evaluator),
            HostBehavior::Session(function) => function.call(&self.signature, bound, evaluator),
            _ => {
                let answer = self.ask(&mut bound, evaluator)?;
                Ok(evaluator.heap().alloc(answer))
            }
        }
    }

    fn typechecker_ty(&self) -> Option<Ty> {
        Some(self.ty.clone())
    }

    fn name_for_call_stack(&self, _me: Value<'v>) -> String {
        self.signature.function.clone()
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        std::hash::Hash::hash(&self.signature.function, hasher);
        Ok(())
    }
}

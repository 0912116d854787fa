//! The common parts of specs: phases, roles, inheritance, and node-specs.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;

use pallet_core::engine::{GroupSpec, Phase, ServerSpec};
use pallet_core::model::NodeSpec;
use starlark::eval::Evaluator;
use starlark::typing::Ty;
use starlark::values::dict::DictRef;
use starlark::values::{Value, ValueLike};

use super::arguments::BoundArguments;
use super::declared::Declarations;
use super::eval_context::{EvalContext, call_place};
use super::fact::facts;
use super::function_error::FunctionError;
use super::node_spec_schema::node_spec_schema;
use super::phase::StarPhase;
use super::plain_data::{describe, function_name, names, sequence, to_json};
use super::signature::Signature;
use super::spec_values::{GroupValue, NodeSpecValue, RolloutValue, ServerValue};
use crate::project::schema::Schema;

/// The server-spec of a call; `own` is merged into its node-spec and wins.
pub(crate) fn server_spec<'v>(
    signature: &Signature,
    bound: &BoundArguments<'v>,
    own: Option<NodeSpec>,
    evaluator: &mut Evaluator<'v, '_, '_>,
) -> Result<ServerSpec, FunctionError> {
    let mut spec = ServerSpec::new();
    if let Some(value) = bound.value("node_spec") {
        spec.node_spec = node_spec(signature, value)?;
    }
    if let Some(own) = own {
        spec.node_spec = spec.node_spec.merged(&own);
    }
    if let Some(value) = bound.value("roles") {
        spec.roles =
            names(value).ok_or_else(|| wrong(signature, "roles", value))?.into_iter().collect();
    }
    if let Some(value) = bound.value("default_phases") {
        spec.default_phases =
            Some(names(value).ok_or_else(|| wrong(signature, "default_phases", value))?);
    }
    if let Some(value) = bound.value("rollout") {
        let rollout = value.downcast_ref::<RolloutValue>();
        let rollout = rollout.ok_or_else(|| wrong(signature, "rollout", value))?;
        spec.rollout = Some(rollout.rollout.clone());
    }
    if let Some(value) = bound.value("facts") {
        spec.facts = facts(signature, value)?;
    }
    let mut functions: Vec<(String, Value<'v>)> = Vec::new();
    if let Some(value) = bound.value("phases") {
        let phases = DictRef::from_value(value).ok_or_else(|| wrong(signature, "phases", value))?;
        for (name, function) in phases.iter() {
            let name = name.unpack_str().ok_or_else(|| {
                FunctionError::new(format!(
                    "{}: the name of a phase must be a string, not {}",
                    signature.function,
                    describe(name)
                ))
            })?;
            // a phase with several functions runs them in order
            match sequence(function) {
                Some(several) => functions
                    .extend(several.into_iter().map(|function| (name.to_owned(), function))),
                None => functions.push((name.to_owned(), function)),
            }
        }
    }
    functions.extend(bound.phases.iter().cloned());
    spec.phases = phases(signature, functions, evaluator)?;
    let inherited = bound
        .value("extends")
        .map(|value| extends(signature, value))
        .transpose()?
        .unwrap_or_default();
    spec.extending(&inherited)
        .map_err(|error| FunctionError::new(format!("{}: {error}", signature.function)))
}

fn phases<'v>(
    signature: &Signature,
    functions: Vec<(String, Value<'v>)>,
    evaluator: &mut Evaluator<'v, '_, '_>,
) -> Result<BTreeMap<String, Phase>, FunctionError> {
    let mut phases = BTreeMap::new();
    for (name, function) in functions {
        let phase = phase(signature, &name, function, evaluator)?;
        let before: Phase = phases.remove(&name).unwrap_or_default();
        phases.insert(name, before.then(&phase));
    }
    Ok(phases)
}

/// A function as a phase.
pub(crate) fn phase<'v>(
    signature: &Signature,
    name: &str,
    function: Value<'v>,
    evaluator: &mut Evaluator<'v, '_, '_>,
) -> Result<Phase, FunctionError> {
    if function.get_type() != "function" {
        return Err(signature.no_phase(name, &describe(function)));
    }
    let takes = |arguments: &[Ty]| {
        function.check_callable_with(arguments, [], None, None, &Ty::any()).is_ok()
    };
    if !takes(&[Ty::any()]) {
        let called = function_name(function);
        let (how_many, help) = match takes(&[]) {
            true => ("none", "write `request` as its parameter".to_owned()),
            false => ("more", format!("wrap it: `lambda request: {called}(request, ...)`")),
        };
        let rule = "a phase function takes one argument, the request";
        let message = format!(
            "{}: the phase `{name}`: {rule}; {called} takes {how_many}",
            signature.function
        );
        return Err(FunctionError::new(message).help(help));
    }
    let declared = declarations(&signature.function, evaluator)?.phase(name, call_place(evaluator));
    evaluator.module().set(&declared.slot.variable, function);
    Ok(Phase::new(StarPhase { declared }))
}

fn extends(signature: &Signature, value: Value<'_>) -> Result<Vec<ServerSpec>, FunctionError> {
    let one = |item: Value<'_>| -> Result<ServerSpec, FunctionError> {
        if let Some(server) = item.downcast_ref::<ServerValue>() {
            return Ok(server.spec.clone());
        }
        match item.downcast_ref::<GroupValue>().map(|value| value.groups.as_slice()) {
            Some([group]) => Ok(group.server.clone()),
            _ => Err(wrong(signature, "extends", item)),
        }
    };
    match sequence(value) {
        Some(items) => items.into_iter().map(one).collect(),
        None => Ok(vec![one(value)?]),
    }
}

fn node_spec(signature: &Signature, value: Value<'_>) -> Result<NodeSpec, FunctionError> {
    if let Some(value) = value.downcast_ref::<NodeSpecValue>() {
        return Ok(value.spec.clone());
    }
    let schema = node_spec_schema();
    let data = to_json(value).map_err(|_| wrong(signature, "node_spec", value))?;
    match Schema::closed(&schema).check(&data).into_iter().next() {
        Some(problem) => Err(FunctionError::new(format!(
            "{}: {}",
            signature.function,
            problem.sentence("node_spec")
        ))
        .help(problem.suggestion)),
        None => serde_json::from_value(data)
            .map_err(|error| FunctionError::new(format!("{}: {error}", signature.function))),
    }
}

/// The groups of a cluster, with their numbers in the declarations.
pub(crate) fn groups(
    signature: &Signature,
    bound: &BoundArguments<'_>,
) -> Result<(Vec<GroupSpec>, Vec<usize>), FunctionError> {
    let Some(value) = bound.value("groups") else { return Ok(Default::default()) };
    let (mut groups, mut numbers) = (Vec::new(), Vec::new());
    for item in sequence(value).ok_or_else(|| wrong(signature, "groups", value))? {
        let group =
            item.downcast_ref::<GroupValue>().ok_or_else(|| wrong(signature, "groups", item))?;
        groups.extend(group.groups.iter().cloned());
        numbers.extend(&group.numbers);
    }
    Ok((groups, numbers))
}

fn wrong(signature: &Signature, name: &str, value: Value<'_>) -> FunctionError {
    let parameter = signature.parameters.iter().find(|parameter| parameter.name == name);
    let expected =
        parameter.map(|parameter| parameter.kind.expected(&signature.root)).unwrap_or_default();
    FunctionError::new(format!(
        "{}: `{name}` must be {expected}, not {}",
        signature.function,
        describe(value)
    ))
}

/// The declarations so far.
pub(crate) fn declarations<'a>(
    function: &str,
    evaluator: &Evaluator<'_, 'a, '_>,
) -> Result<RefMut<'a, Declarations>, FunctionError> {
    match EvalContext::of(evaluator) {
        Some(EvalContext::Loading(declared)) => Ok(RefCell::borrow_mut(declared)),
        Some(EvalContext::Session(session)) if session.phase.borrow().is_none() => {
            Ok(RefCell::borrow_mut(&session.declared))
        }
        _ => Err(FunctionError::new(format!(
            "{function} is a declaration and cannot be called in a phase"
        ))
        .help("call it at the top level of pallet.star".to_owned())),
    }
}

//! The functions that create specs.

use pallet_core::engine::{ClusterSpec, GroupSpec};
use pallet_core::model::NodeSpec;
use starlark::eval::Evaluator;
use starlark::values::Value;

use super::arguments::BoundArguments;
use super::eval_context::call_place;
use super::fact::fact;
use super::function_error::FunctionError;
use super::rollout::rollout;
use super::signature::Signature;
use super::spec_parts::{declarations, groups, server_spec};
use super::spec_values::{GroupValue, NodeSpecValue, ServerValue};

/// A function that creates a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpecFunction {
    NodeSpec,
    ServerSpec,
    GroupSpec,
    ClusterSpec,
    DefNode,
    Rollout,
    Fact,
}

impl SpecFunction {
    /// Creates the spec of a call.
    pub(crate) fn make<'v>(
        self,
        signature: &Signature,
        mut bound: BoundArguments<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> Result<Value<'v>, FunctionError> {
        let heap = evaluator.heap();
        match self {
            SpecFunction::NodeSpec => {
                Ok(heap.alloc(NodeSpecValue { spec: node_spec(signature, bound.data)? }))
            }
            SpecFunction::ServerSpec => {
                Ok(heap
                    .alloc(ServerValue { spec: server_spec(signature, &bound, None, evaluator)? }))
            }
            SpecFunction::Fact => Ok(heap.alloc(fact(signature, &bound)?)),
            SpecFunction::Rollout => Ok(heap.alloc(rollout(signature, &bound, evaluator)?)),
            SpecFunction::GroupSpec | SpecFunction::DefNode => {
                let (name, count) = name_and_count(&mut bound);
                let (protect, min_count) = protection(&mut bound);
                let own = (self == SpecFunction::DefNode)
                    .then(|| node_spec(signature, std::mem::take(&mut bound.data)))
                    .transpose()?;
                let server = server_spec(signature, &bound, own, evaluator)?;
                let group = GroupSpec::new(&name, count, server)
                    .and_then(|group| group.protected(protect, min_count))
                    .map_err(|error| FunctionError::new(error.to_string()))?;
                Ok(heap.alloc(register(&name, false, vec![group], signature, evaluator)?))
            }
            SpecFunction::ClusterSpec => {
                let (name, count) = name_and_count(&mut bound);
                let (protect, _) = protection(&mut bound);
                let server = server_spec(signature, &bound, None, evaluator)?;
                let (groups, numbers) = groups(signature, &bound)?;
                let cluster = ClusterSpec { name: name.clone(), count, groups, server, protect };
                let flat =
                    cluster.flatten().map_err(|error| FunctionError::new(error.to_string()))?;
                let mut declared = declarations(&signature.function, evaluator)?;
                numbers.into_iter().for_each(|number| declared.take(number));
                drop(declared);
                Ok(heap.alloc(register(&name, true, flat, signature, evaluator)?))
            }
        }
    }
}

fn name_and_count(bound: &mut BoundArguments<'_>) -> (String, Option<u32>) {
    let name = bound
        .data
        .remove("name")
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default();
    (name, number(bound, "count"))
}

/// Whether the nodes of a group are protected, and its least number of nodes.
fn protection(bound: &mut BoundArguments<'_>) -> (bool, Option<u32>) {
    let protect = bound.data.remove("protect").and_then(|protect| protect.as_bool());
    (protect.unwrap_or_default(), number(bound, "min_count"))
}

fn number(bound: &mut BoundArguments<'_>, name: &str) -> Option<u32> {
    let number = bound.data.remove(name).and_then(|number| number.as_u64());
    number.and_then(|number| u32::try_from(number).ok())
}

fn node_spec(
    signature: &Signature,
    data: serde_json::Map<String, serde_json::Value>,
) -> Result<NodeSpec, FunctionError> {
    serde_json::from_value(serde_json::Value::Object(data))
        .map_err(|error| FunctionError::new(format!("{}: {error}", signature.function)))
}

fn register(
    name: &str,
    cluster: bool,
    groups: Vec<GroupSpec>,
    signature: &Signature,
    evaluator: &Evaluator<'_, '_, '_>,
) -> Result<GroupValue, FunctionError> {
    let place = call_place(evaluator);
    let mut declared = declarations(&signature.function, evaluator)?;
    let numbers = groups.iter().map(|group| declared.group(group.clone(), place.clone())).collect();
    if cluster {
        declared.cluster(name, &groups);
    }
    Ok(GroupValue { name: name.to_owned(), cluster, groups, numbers })
}

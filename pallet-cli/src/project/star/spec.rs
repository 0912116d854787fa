//! Specs as values of Starlark.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe \
    traits"
)]

use std::fmt;

use allocative::Allocative;
use pallet_core::engine::{ClusterSpec, GroupSpec, ServerSpec};
use pallet_core::model::NodeSpec;
use starlark::any::ProvidesStaticType;
use starlark::collections::StarlarkHasher;
use starlark::eval::Evaluator;
use starlark::starlark_simple_value;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};

use super::complaint::Complaint;
use super::context::call_place;
use super::function::Bound;
use super::signature::Signature;
use super::spec_parts::{groups, registry, server_spec};

/// A node-spec.
#[derive(Debug, Clone, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct NodeSpecValue {
    #[allocative(skip)]
    pub(crate) spec: NodeSpec,
}

/// A server-spec.
#[derive(Debug, Clone, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct ServerValue {
    #[allocative(skip)]
    pub(crate) spec: ServerSpec,
}

/// A group-spec, or the group-specs of a cluster-spec.
#[derive(Debug, Clone, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct GroupValue {
    /// Its name.
    pub(crate) name: String,
    /// Whether it is a cluster.
    pub(crate) cluster: bool,
    /// The groups.
    #[allocative(skip)]
    pub(crate) groups: Vec<GroupSpec>,
    /// The numbers that the registry knows them by.
    pub(crate) numbers: Vec<usize>,
}

starlark_simple_value!(NodeSpecValue);
starlark_simple_value!(ServerValue);
starlark_simple_value!(GroupValue);

#[starlark_value(type = "node_spec")]
impl<'v> StarlarkValue<'v> for NodeSpecValue {}

#[starlark_value(type = "server_spec")]
impl<'v> StarlarkValue<'v> for ServerValue {}

#[starlark_value(type = "group_spec")]
impl<'v> StarlarkValue<'v> for GroupValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        match attribute {
            "name" => Some(heap.alloc(self.name.as_str())),
            _ => None,
        }
    }

    fn dir_attr(&self) -> Vec<String> {
        vec!["name".to_owned()]
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other
            .downcast_ref::<GroupValue>()
            .is_some_and(|other| (&other.name, other.cluster) == (&self.name, self.cluster)))
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        std::hash::Hash::hash(&self.name, hasher);
        Ok(())
    }
}

impl fmt::Display for NodeSpecValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "node_spec({})", serde_json::to_string(&self.spec).unwrap_or_default())
    }
}

impl fmt::Display for ServerValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server_spec(phases = {:?})", self.spec.phases.keys().collect::<Vec<_>>())
    }
}

impl fmt::Display for GroupValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?})", if self.cluster { "cluster_spec" } else { "group_spec" }, self.name)
    }
}

impl GroupValue {
    /// The group or cluster that a value is.
    pub(crate) fn of(value: Value<'_>) -> Option<&GroupValue> {
        value.downcast_ref::<GroupValue>()
    }
}

/// The functions that make specs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SpecFunction {
    NodeSpec,
    ServerSpec,
    GroupSpec,
    ClusterSpec,
    DefNode,
}

impl SpecFunction {
    /// Makes the spec of a call.
    pub(crate) fn make<'v>(
        self,
        signature: &Signature,
        mut bound: Bound<'v>,
        evaluator: &mut Evaluator<'v, '_, '_>,
    ) -> Result<Value<'v>, Complaint> {
        let heap = evaluator.heap();
        match self {
            SpecFunction::NodeSpec => {
                Ok(heap.alloc(NodeSpecValue { spec: node_spec(signature, bound.data)? }))
            }
            SpecFunction::ServerSpec => {
                Ok(heap
                    .alloc(ServerValue { spec: server_spec(signature, &bound, None, evaluator)? }))
            }
            SpecFunction::GroupSpec | SpecFunction::DefNode => {
                let (name, count) = name_and_count(&mut bound);
                let own = (self == SpecFunction::DefNode)
                    .then(|| node_spec(signature, std::mem::take(&mut bound.data)))
                    .transpose()?;
                let server = server_spec(signature, &bound, own, evaluator)?;
                let group = GroupSpec::new(&name, count, server)
                    .map_err(|error| Complaint::new(error.to_string()))?;
                Ok(heap.alloc(register(&name, false, vec![group], signature, evaluator)?))
            }
            SpecFunction::ClusterSpec => {
                let (name, count) = name_and_count(&mut bound);
                let server = server_spec(signature, &bound, None, evaluator)?;
                let (groups, numbers) = groups(signature, &bound)?;
                let cluster = ClusterSpec { name: name.clone(), count, groups, server };
                let flat = cluster.flatten().map_err(|error| Complaint::new(error.to_string()))?;
                let mut registry = registry(&signature.function, evaluator)?;
                numbers.into_iter().for_each(|number| registry.take(number));
                drop(registry);
                Ok(heap.alloc(register(&name, true, flat, signature, evaluator)?))
            }
        }
    }
}

fn name_and_count(bound: &mut Bound<'_>) -> (String, Option<u32>) {
    let name = bound
        .data
        .remove("name")
        .and_then(|name| name.as_str().map(str::to_owned))
        .unwrap_or_default();
    let count = bound
        .data
        .remove("count")
        .and_then(|count| count.as_u64())
        .and_then(|count| u32::try_from(count).ok());
    (name, count)
}

fn node_spec(
    signature: &Signature,
    data: serde_json::Map<String, serde_json::Value>,
) -> Result<NodeSpec, Complaint> {
    serde_json::from_value(serde_json::Value::Object(data))
        .map_err(|error| Complaint::new(format!("{}: {error}", signature.function)))
}

fn register(
    name: &str,
    cluster: bool,
    groups: Vec<GroupSpec>,
    signature: &Signature,
    evaluator: &Evaluator<'_, '_, '_>,
) -> Result<GroupValue, Complaint> {
    let place = call_place(evaluator);
    let mut registry = registry(&signature.function, evaluator)?;
    let numbers = groups.iter().map(|group| registry.group(group.clone(), place.clone())).collect();
    Ok(GroupValue { name: name.to_owned(), cluster, groups, numbers })
}

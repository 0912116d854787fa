//! Specs as Starlark values.
#![allow(
    unsafe_code,
    reason = "the marker traits of starlark that are derived here are unsafe traits"
)]

use std::fmt;

use allocative::Allocative;
use pallet_core::engine::{FactSpec, GroupSpec, Rollout, ServerSpec};
use pallet_core::model::NodeSpec;
use starlark::any::ProvidesStaticType;
use starlark::collections::StarlarkHasher;
use starlark::starlark_simple_value;
use starlark::values::{
    Heap, NoSerialize, StarlarkPagablePanic, StarlarkValue, Value, ValueLike, starlark_value,
};

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

/// A rollout.
#[derive(Debug, Clone, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct RolloutValue {
    #[allocative(skip)]
    pub(crate) rollout: Rollout,
}

/// A fact of the project's own.
#[derive(Debug, Clone, ProvidesStaticType, NoSerialize, Allocative, StarlarkPagablePanic)]
pub(crate) struct FactValue {
    /// Its name.
    pub(crate) name: String,
    #[allocative(skip)]
    pub(crate) spec: FactSpec,
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
    /// Their numbers in the declarations.
    pub(crate) numbers: Vec<usize>,
}

starlark_simple_value!(NodeSpecValue);
starlark_simple_value!(ServerValue);
starlark_simple_value!(RolloutValue);
starlark_simple_value!(FactValue);
starlark_simple_value!(GroupValue);

#[starlark_value(type = "node_spec")]
impl<'v> StarlarkValue<'v> for NodeSpecValue {}

#[starlark_value(type = "server_spec")]
impl<'v> StarlarkValue<'v> for ServerValue {}

#[starlark_value(type = "rollout")]
impl<'v> StarlarkValue<'v> for RolloutValue {}

#[starlark_value(type = "fact")]
impl<'v> StarlarkValue<'v> for FactValue {}

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

impl fmt::Display for RolloutValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.rollout.waves {
            Some(waves) => write!(f, "rollout(waves = {waves})"),
            None => f.write_str("rollout()"),
        }
    }
}

impl fmt::Display for FactValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fact({:?}, {:?})", self.name, self.spec.command)
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

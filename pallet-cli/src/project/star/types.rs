//! The types of parameters: plain data with a JSON schema, or a Starlark value.

use serde_json::Value as Json;
use starlark::typing::{Ty, TyStruct};

use super::spec_values::{FactValue, GroupValue, NodeSpecValue, RolloutValue, ServerValue};
use crate::project::schema::Schema;

/// The type of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Plain data with this schema.
    Data(Json),
    /// The request of a phase.
    Request,
    /// A node-spec, or a table with the same keys.
    NodeSpec,
    /// A server-spec or group-spec, or a list of them.
    Specs,
    /// A rollout.
    Rollout,
    /// Facts of the project's own.
    Facts,
    /// Group-specs and cluster-specs.
    Groups,
    /// Functions by phase.
    Phases,
    /// One or several names.
    Names,
    /// A function that takes the request.
    Function,
    /// Groups and nodes, as values or names.
    Targets,
    /// Counts by group.
    Counts,
    /// Phases by name, or functions that take the request.
    PhaseChoices,
    /// The name of a service.
    Service,
    /// Any value, described in words.
    Any(&'static str),
}

impl Kind {
    /// The type for Starlark's type check.
    pub(crate) fn ty(&self, root: &Json) -> Ty {
        match self {
            Kind::Data(node) => data_type(Schema::new(root).part(node), 0),
            // phase functions do not annotate their parameter
            Kind::Request => Ty::any(),
            Kind::Function | Kind::Targets | Kind::Counts | Kind::PhaseChoices | Kind::Any(_) => {
                Ty::any()
            }
            Kind::Service => Ty::string(),
            Kind::NodeSpec => {
                Ty::union2(Ty::starlark_value::<NodeSpecValue>(), Ty::dict(Ty::string(), Ty::any()))
            }
            Kind::Specs => {
                let one = Ty::union2(
                    Ty::starlark_value::<ServerValue>(),
                    Ty::starlark_value::<GroupValue>(),
                );
                Ty::union2(one.clone(), Ty::list(one))
            }
            Kind::Rollout => Ty::starlark_value::<RolloutValue>(),
            Kind::Facts => Ty::list(Ty::starlark_value::<FactValue>()),
            Kind::Groups => Ty::list(Ty::starlark_value::<GroupValue>()),
            Kind::Phases => Ty::dict(Ty::string(), Ty::any()),
            Kind::Names => Ty::union2(Ty::string(), Ty::list(Ty::string())),
        }
    }

    /// The expected type, in words.
    pub(crate) fn expected(&self, root: &Json) -> String {
        match self {
            Kind::Data(node) => Schema::new(root).part(node).expected(),
            Kind::Request => "the request of a phase function".to_owned(),
            Kind::NodeSpec => "a node_spec".to_owned(),
            Kind::Specs => "a server_spec, or a list of them".to_owned(),
            Kind::Rollout => "a rollout, made by the function rollout".to_owned(),
            Kind::Facts => "a list of facts, made by the function fact".to_owned(),
            Kind::Groups => "a list of group_specs".to_owned(),
            Kind::Phases => "a dict of functions by the names of their phases".to_owned(),
            Kind::Names => "a string, or a list of strings".to_owned(),
            Kind::Function => "a function of the request".to_owned(),
            Kind::Targets => "a group, a node, the name of one, or a list of them".to_owned(),
            Kind::Counts => "groups, or a dict of groups with their counts".to_owned(),
            Kind::PhaseChoices => "the name of a phase, a function of the request, or a list of \
                them"
                .to_owned(),
            Kind::Service => "the name of a service of pallet.toml".to_owned(),
            Kind::Any(what) => (*what).to_owned(),
        }
    }
}

fn data_type(schema: Schema<'_>, depth: usize) -> Ty {
    let types = schema.types();
    if types.is_empty() || depth > 4 {
        return Ty::any();
    }
    let one = |name: &&str| match *name {
        "null" => Ty::none(),
        "boolean" => Ty::bool(),
        "integer" => Ty::int(),
        "number" => Ty::union2(Ty::int(), Ty::float()),
        "string" => Ty::string(),
        "array" => {
            Ty::list(schema.items().map_or_else(Ty::any, |items| data_type(items, depth + 1)))
        }
        "object" => Ty::union2(Ty::dict(Ty::any(), Ty::any()), Ty::custom(TyStruct::any())),
        _ => Ty::any(),
    };
    Ty::unions(types.iter().map(one).collect())
}

//! What a parameter takes: plain data after a JSON schema, or one of Starlark's own values.

use serde_json::Value as Json;
use starlark::typing::{Ty, TyStruct};

use super::spec_values::{GroupValue, NodeSpecValue, ServerValue};
use crate::project::schema::Schema;

/// What a parameter takes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// Plain data after this schema.
    Data(Json),
    /// The request of a phase.
    Request,
    /// A node-spec, or a table that would make one.
    NodeSpec,
    /// One server-spec or group-spec, or several.
    Specs,
    /// Group-specs and cluster-specs.
    Groups,
    /// Functions by the names of their phases.
    Phases,
    /// One name, or several.
    Names,
    /// A function of the request.
    Function,
    /// Groups and nodes, as values or by their names.
    Targets,
    /// Groups by names, each with a count.
    Counts,
    /// Phases by name, or functions of the request.
    PhaseChoices,
    /// The name of a service.
    Service,
    /// Any value; these are the words for it.
    Any(&'static str),
}

impl Kind {
    /// The type that Starlark's own check of types sees.
    pub(crate) fn ty(&self, root: &Json) -> Ty {
        match self {
            Kind::Data(node) => data_type(Schema::new(root).part(node), 0),
            // phase functions do not declare the type of their request
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
            Kind::Groups => Ty::list(Ty::starlark_value::<GroupValue>()),
            Kind::Phases => Ty::dict(Ty::string(), Ty::any()),
            Kind::Names => Ty::union2(Ty::string(), Ty::list(Ty::string())),
        }
    }

    /// What it takes, in words.
    pub(crate) fn expected(&self, root: &Json) -> String {
        match self {
            Kind::Data(node) => Schema::new(root).part(node).expected(),
            Kind::Request => "the request of a phase function".to_owned(),
            Kind::NodeSpec => "a node_spec".to_owned(),
            Kind::Specs => "a server_spec, or a list of them".to_owned(),
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

//! What a parameter takes: plain data after a JSON schema, or one of Starlark's own values.

use serde_json::Value as Json;
use starlark::typing::{Ty, TyStruct};
use starlark::values::Value;
use starlark::values::dict::DictRef;
use starlark::values::structs::StructRef;

use super::complaint::Complaint;
use super::spec::{GroupValue, NodeSpecValue, ServerValue};
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

/// How deep plain data may be nested; less than what a reader of JSON takes on the other side.
const DEPTH: usize = 100;

/// How many values plain data may hold.
const VALUES: usize = 1_000_000;

/// Plain data of a value.
pub(crate) fn to_json(value: Value<'_>) -> Result<Json, Complaint> {
    check_size(value)?;
    value
        .to_json_value()
        .map_err(|_| Complaint::new(format!("must be plain data, not {}", describe(value))))
}

/// Refuses what would never end, or go down too far: a value may hold another one any number of
/// times.
fn check_size(value: Value<'_>) -> Result<(), Complaint> {
    let mut open = vec![(value, 0)];
    let mut seen = 0;
    while let Some((value, depth)) = open.pop() {
        seen += 1;
        if depth > DEPTH {
            return Err(Complaint::new(format!(
                "is nested too deep: more than {DEPTH} lists and \
                dicts inside each other"
            )));
        }
        if let Some(items) = sequence(value) {
            open.extend(items.into_iter().map(|item| (item, depth + 1)));
        } else if let Some(dict) = DictRef::from_value(value) {
            open.extend(dict.iter().map(|(_, item)| (item, depth + 1)));
        } else if let Some(fields) = StructRef::from_value(value) {
            open.extend(fields.iter().map(|(_, item)| (item, depth + 1)));
        }
        if seen + open.len() > VALUES {
            return Err(Complaint::new(format!("is too big: it holds more than {VALUES} values")));
        }
    }
    Ok(())
}

/// A value in a message: what it is, and itself if it is short.
pub(crate) fn describe(value: Value<'_>) -> String {
    let text = value.to_repr();
    match value.get_type() {
        "string" if text.len() <= 60 => format!("the string {text}"),
        "int" | "float" | "bool" | "NoneType" => text,
        "function" => format!("the function {}", function_name(value)),
        "string" => "a long string".to_owned(),
        other => format!("a {other}"),
    }
}

/// The name of a function.
pub(crate) fn function_name(value: Value<'_>) -> String {
    let name = value.to_str();
    name.rsplit(".star.").next().unwrap_or(&name).to_owned()
}

/// The strings of a value that is one string or a list of them.
pub(crate) fn names(value: Value<'_>) -> Option<Vec<String>> {
    match value.unpack_str() {
        Some(name) => Some(vec![name.to_owned()]),
        None => {
            sequence(value)?.into_iter().map(|item| item.unpack_str().map(str::to_owned)).collect()
        }
    }
}

/// The items of a list or a tuple.
pub(crate) fn sequence(value: Value<'_>) -> Option<Vec<Value<'_>>> {
    use starlark::values::list::ListRef;
    use starlark::values::tuple::TupleRef;
    match ListRef::from_value(value) {
        Some(list) => Some(list.iter().collect()),
        None => TupleRef::from_value(value).map(|tuple| tuple.iter().collect()),
    }
}

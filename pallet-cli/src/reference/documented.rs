//! The schema of a function's parameters, with what they mean: also of the functions that declare
//! things, open a scope or name a secret, whose own schemas do not document them.

use serde_json::{Map, Value as Json, json};

use crate::project::star::signature::Signature;
use crate::project::star::types::Kind;

/// The parameters of all of them, as far as their schemas do not say what they mean. A function's
/// own name goes first: `cluster_spec.count`.
const PARAMETERS: &[(&str, &str)] = &[
    ("cluster_spec.name", "Its name, which is the beginning of its groups' names."),
    ("cluster_spec.count", "How many times its groups' counts are wanted; without it once."),
    ("secret.name", "Its name in pallet.toml."),
    ("name", "Its name, which is the beginning of its nodes' names."),
    (
        "count",
        "How many nodes of it there should be. Without one the command line must say: `converge \
         web=3`.",
    ),
    ("groups", "Its groups."),
    (
        "extends",
        "The server-specs and group-specs that it inherits from, in order. Their phase functions \
         run before its own.",
    ),
    (
        "phases",
        "The functions that configure its nodes, by the names of their phases: `{\"configure\": \
         web}`. Each is given the request.",
    ),
    ("node_spec", "What its nodes should be."),
    ("roles", "What it is to other groups: `request.targets_with_role(\"web\")` finds its nodes."),
    (
        "default_phases",
        "The phases of a lift or converge that names none, in order; without it `configure`.",
    ),
    ("function", "The function; its only argument is the request."),
    (
        "command",
        "The command, for the node's shell. It is looked at once, before anything changes.",
    ),
    ("user", "The user whom commands run as and who owns files."),
    ("directory", "The directory that commands run in."),
    ("environment", "Variables for commands."),
];

/// What a parameter means, if the function is one of them.
fn said(function: &str, parameter: &str) -> Option<&'static str> {
    let own = format!("{function}.{parameter}");
    let is_declaration =
        ["_spec", "defnode", "with_action_options", "plan_when", "plan_when_not", "secret"]
            .iter()
            .any(|end| function.ends_with(end));
    PARAMETERS
        .iter()
        .find(|(name, _)| is_declaration && (*name == own || *name == parameter))
        .map(|(_, doc)| *doc)
}

/// The parameters of any function as a schema like those of actions. What takes no plain data says
/// in words what it takes, in `x-takes`.
pub(crate) fn documented(signature: &Signature) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in signature.parameters.iter().filter(|parameter| parameter.kind != Kind::Request)
    {
        let mut node = match &parameter.kind {
            // the secrets are the project's
            Kind::Data(node) if node["enum"] == json!([]) => {
                Map::from_iter([("type".to_owned(), json!("string"))])
            }
            Kind::Data(node) => node.as_object().cloned().unwrap_or_default(),
            kind => Map::from_iter([("x-takes".to_owned(), json!(kind.expected(&signature.root)))]),
        };
        let in_root = signature.root["properties"][&parameter.name].get("description").cloned();
        let doc = in_root.or_else(|| said(&signature.function, &parameter.name).map(Json::from));
        if let (false, Some(doc)) = (node.contains_key("description"), doc) {
            node.insert("description".to_owned(), doc);
        }
        if parameter.required {
            required.push(parameter.name.clone());
        }
        properties.insert(parameter.name.clone(), Json::Object(node));
    }
    let definitions = signature.root.get("$defs").cloned().unwrap_or_else(|| json!({}));
    json!({"type": "object", "properties": properties, "required": required, "$defs": definitions})
}

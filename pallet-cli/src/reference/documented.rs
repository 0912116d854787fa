//! The schema of a function's parameters, with what they mean: also of the functions that declare
//! things, open a scope or name a secret, whose own schemas do not document them.

use serde_json::{Map, Value as Json, json};

use crate::project::star::signature::Signature;
use crate::project::star::types::Kind;

/// The parameters of all of them, as far as their schemas do not say what they mean. A function's
/// own name goes first: `cluster_spec.count`.
const PARAMETERS: &[(&str, &str)] = &[
    ("cluster_spec.name", "Name of the cluster, the prefix of its groups' names."),
    ("cluster_spec.count", "Multiplier for group counts (default 1)."),
    ("secret.name", "Name of the secret in pallet.toml."),
    ("name", "Name of the group, the prefix of its nodes' names."),
    ("count", "Number of nodes. If omitted, set it on the command line: `converge web=3`."),
    ("groups", "Groups of the cluster."),
    (
        "extends",
        "Server-specs and group-specs to inherit from, in order. Their phase functions run first.",
    ),
    (
        "phases",
        "Functions that configure the nodes, by phase: `{\"configure\": web}`. Each receives the \
         request.",
    ),
    ("node_spec", "Node-spec of the nodes."),
    (
        "roles",
        "Role names that other groups select by: `request.targets_with_role(\"web\")` finds its nodes.",
    ),
    (
        "default_phases",
        "Phases that lift and converge run by default, in order (default `configure`).",
    ),
    ("function", "The function; its only argument is the request."),
    ("command", "Shell command, run once on the node before anything changes."),
    ("user", "User that runs commands and owns files."),
    ("directory", "Working directory of commands."),
    ("environment", "Environment variables for commands."),
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

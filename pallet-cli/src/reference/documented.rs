//! Adds descriptions to the schema of a function's parameters, also for declarations, scopes and
//! `secret`, whose own schemas have none.

use serde_json::{Map, Value as Json, json};

use crate::project::star::signature::Signature;
use crate::project::star::types::Kind;

/// The descriptions of parameters that their schemas lack. A key with the function's name takes
/// precedence: `cluster_spec.count`.
const PARAMETERS: &[(&str, &str)] = &[
    ("cluster_spec.name", "The name, which begins the names of its groups."),
    ("cluster_spec.count", "Multiplier for the counts of its groups. Default: 1."),
    ("secret.name", "The name of the secret in `[secrets]` of pallet.toml."),
    ("name", "The name, which begins the names of its nodes: `web-1`."),
    ("count", "The number of nodes. If omitted, the command line must give it: `converge web=3`."),
    ("groups", "The groups of the cluster."),
    (
        "extends",
        "The server-specs and group-specs to inherit from, in order. Inherited phase functions run \
         first.",
    ),
    (
        "phases",
        "The functions that configure the nodes, by phase: `{\"configure\": web}`, or a list of \
         functions for a phase. Each takes the request.",
    ),
    ("node_spec", "The node-spec of its nodes."),
    ("roles", "Roles by which other groups find its nodes: `request.targets_with_role(\"web\")`."),
    (
        "default_phases",
        "The phases that lift and converge run by default, in order. Default: `configure`.",
    ),
    (
        "rollout",
        "How lift and converge proceed through its nodes, made by `rollout`. Default: all at once.",
    ),
    ("cluster_spec.protect", "Refuse to destroy the nodes of its groups. Default: `False`."),
    (
        "protect",
        "Refuse to destroy its nodes: converge to fewer, `down` and replacing fail unless they \
         name the group in `--unprotect`. Default: `False`.",
    ),
    ("min_count", "The least number of nodes that a converge leaves. Default: 0."),
    (
        "rollout.waves",
        "How many nodes are done after each wave, as numbers or percentages; the last is `100%`. \
         A single value is the size of every wave. Default: all nodes in one wave.",
    ),
    (
        "rollout.max_failures",
        "How many nodes may fail, as a number or a percentage. If more do, nothing new begins. \
         Default: 0 if there are waves or a health check, any number otherwise.",
    ),
    (
        "rollout.health",
        "A function of the request with actions that wait, such as `wait_for_http`. They run on \
         each changed node at the end of its wave; a node that fails them has failed.",
    ),
    ("fact.name", "The name, which functions use: `request.facts.gpu`. Letters, digits and `_`."),
    (
        "fact.command",
        "A read-only command for the node's shell. It runs as root, in every operation.",
    ),
    (
        "fact.type",
        "How its output is read: `str` as text, `int` and `float` as a number, `bool` not at all \
         (true if the command succeeds), `list` as its lines, `dict` as a JSON object. Default: \
         `str`.",
    ),
    (
        "fact.default",
        "The value where the output cannot be read so, and on a node that does not exist yet. \
         Default: the former is an error, and the latter `\"\"`, 0, `False`, `[]` or `{}`.",
    ),
    ("facts", "Facts to ask its nodes for, made by `fact`. The last of a name wins."),
    ("rollout.pause", "The time between two waves: seconds, or text such as `30s` and `5m`."),
    (
        "rollout.surge",
        "How many new nodes a converge creates before it destroys the nodes that they replace. \
         Default: 0, which destroys first.",
    ),
    ("node", "The node: a target such as one of `request.targets`, or its name."),
    ("function", "The function, which takes the request."),
    ("then", "The function whose actions run if one of `function` fails. Default: the node fails."),
    ("always", "The function whose actions run in both cases, last. Default: none."),
    ("command", "The command for the node's shell. It runs once, before anything changes."),
    ("user", "The user that commands run as and that owns files."),
    ("directory", "The working directory of commands."),
    ("tags", "Tags, by which `--tags` and `--skip-tags` choose actions."),
    ("environment", "Environment variables of commands."),
];

/// How the names of the functions end whose parameters are in the table.
const DECLARATIONS: [&str; 12] = [
    "_spec",
    "fact",
    "defnode",
    "rollout",
    "with_action_options",
    "plan_when",
    "plan_when_not",
    "on_failure",
    "on_node",
    "locally",
    "run_once",
    "secret",
];

/// The description of a parameter, if the table has it.
fn said(function: &str, parameter: &str) -> Option<&'static str> {
    let own = format!("{function}.{parameter}");
    let is_declaration = DECLARATIONS.iter().any(|end| function.ends_with(end));
    PARAMETERS
        .iter()
        .find(|(name, _)| is_declaration && (*name == own || *name == parameter))
        .map(|(_, doc)| *doc)
}

/// The parameters of a function as a schema like that of an action. `x-takes` describes parameters
/// that do not take plain data.
pub(crate) fn documented(signature: &Signature) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in signature.parameters.iter().filter(|parameter| parameter.kind != Kind::Request)
    {
        let mut node = match &parameter.kind {
            // the names of secrets depend on the project
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

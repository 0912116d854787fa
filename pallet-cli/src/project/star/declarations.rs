//! The reference of the functions that declare things, of those that open a scope, and of `secret`: what no schema documents.

use serde_json::{Map, Value as Json, json};

use super::functions::{scopes, secret, specs};
use super::signature::Signature;
use super::types::Kind;
use crate::output::reference::Entry;

/// What is said of a function: its name, what it does, and of its parameters what their schemas do not say.
type Said = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const SERVER: &[(&str, &str)] = &[
    ("extends", "The server-specs and group-specs that it inherits from, in order. Their phase functions run before its own."),
    ("phases", "The functions that configure its nodes, by the names of their phases: `{\"configure\": web}`. Each is given the request."),
    ("node_spec", "What its nodes should be."),
    ("roles", "What it is to other groups: `request.targets_with_role(\"web\")` finds its nodes."),
    ("default_phases", "The phases of a lift or converge that names none, in order; without it `configure`."),
    ("name", "Its name, which is the beginning of its nodes' names."),
    ("count", "How many nodes of it there should be. Without one the command line must say: `converge web=3`."),
];

const SAID: &[Said] = &[
    (
        "node_spec",
        "What a node should be. It means the same at every service: of what that offers, the smallest and cheapest that satisfies all of it.\n\n\
         Example: `node_spec(image = {\"os_family\": \"debian\"}, hardware = {\"min_cores\": 2})`",
        &[],
    ),
    (
        "server_spec",
        "What a kind of server is: phases, roles and a node-spec, for groups to extend.\n\n\
         Example: `base = server_spec(phases = {\"configure\": ntp}, roles = \"monitored\")`",
        SERVER,
    ),
    (
        "group_spec",
        "Declares a group: a name, how many nodes of it there should be, and what they have.\n\n\
         Example: `web = group_spec(\"web\", count = 2, extends = [base], phases = {\"configure\": web})`",
        SERVER,
    ),
    (
        "cluster_spec",
        "Declares groups under one name, with what they share. They are then called `CLUSTER-GROUP`, and their counts are multiplied by its own.\n\n\
         Example: `cluster_spec(\"shop\", groups = [web, database], extends = [base])`",
        &[
            ("name", "Its name, which is the beginning of its groups' names."),
            ("groups", "Its groups."),
            ("count", "How many times its groups' counts are wanted; without it once."),
        ],
    ),
    (
        "defnode",
        "Declares a group in the short form: the parts of its node-spec are parameters, and every other keyword is a phase.\n\n\
         Example: `web = defnode(\"web\", count = 2, image = {\"os_family\": \"debian\"}, configure = web)`",
        SERVER,
    ),
    (
        "with_action_options",
        "Runs a function of the request, and gives these options to every action in it that takes them and does not say them itself.\n\n\
         Example: `with_action_options(request, deploy, user = \"app\", directory = \"/srv/app\")`",
        &[
            ("function", "The function; its only argument is the request."),
            ("user", "The user whom commands run as and who owns files."),
            ("directory", "The directory that commands run in."),
            ("environment", "Variables for commands."),
        ],
    ),
    (
        "plan_when",
        "Runs a function of the request, whose actions are then for nodes where a command succeeds. It is looked at once, before anything changes.\n\n\
         Example: `plan_when(request, \"test -e /etc/debian_version\", lambda request: package(request, \"apt-utils\"))`",
        &[("command", "The command, for the node's shell."), ("function", "The function; its only argument is the request.")],
    ),
    (
        "plan_when_not",
        "Runs a function of the request, whose actions are then for nodes where a command fails.",
        &[("command", "The command, for the node's shell."), ("function", "The function; its only argument is the request.")],
    ),
    (
        "secret",
        "Stands for a secret of `[secrets]` in pallet.toml. Only the engine ever sees its value, when an action is made with it.\n\n\
         Example: `remote_file(request, \"/etc/app.key\", content = secret(\"key\"), mode = \"0600\")`",
        &[("name", "Its name in pallet.toml.")],
    ),
];

/// All of them, in the order of the table.
pub(crate) fn declarations() -> Vec<Entry> {
    let functions: Vec<_> = specs().into_iter().chain(scopes()).chain([secret(std::iter::empty())]).collect();
    let entry = |(name, doc, parameters): &Said| {
        let function = functions.iter().find(|function| function.signature.function == *name)?;
        Some(Entry::of_declaration(name, doc, schema(&function.signature, parameters), takes_request(&function.signature)))
    };
    SAID.iter().filter_map(entry).collect()
}

fn takes_request(signature: &Signature) -> bool {
    signature.parameters.first().is_some_and(|parameter| parameter.kind == Kind::Request)
}

/// The parameters as a schema like those of actions. What takes no plain data says in words what it takes.
fn schema(signature: &Signature, said: &[(&str, &str)]) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for parameter in signature.parameters.iter().filter(|parameter| parameter.kind != Kind::Request) {
        let mut node = match &parameter.kind {
            Kind::Data(node) => node.as_object().cloned().unwrap_or_default(),
            kind => Map::from_iter([("x-takes".to_owned(), json!(kind.expected(&signature.root)))]),
        };
        if let Some((_, doc)) = said.iter().find(|(name, _)| *name == parameter.name) {
            node.insert("description".to_owned(), json!(doc));
        }
        if parameter.required {
            required.push(parameter.name.clone());
        }
        properties.insert(parameter.name.clone(), Json::Object(node));
    }
    let definitions = signature.root.get("$defs").cloned().unwrap_or_else(|| json!({}));
    json!({"type": "object", "properties": properties, "required": required, "$defs": definitions})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::reference::text;

    #[test]
    fn every_function_and_every_parameter_is_documented() {
        let functions: Vec<_> = specs().into_iter().chain(scopes()).chain([secret(std::iter::empty())]).collect();
        let documented = declarations();
        assert_eq!(documented.len(), functions.len());
        for entry in &documented {
            assert!(!entry.summary().is_empty(), "{entry:?}");
            let text = text(entry);
            let undocumented = text.lines().zip(text.lines().skip(1)).find(|(line, next)| {
                line.starts_with("  ") && !line.starts_with("   ") && line.contains(": ") && !next.starts_with("      ")
            });
            assert_eq!(undocumented, None, "{text}");
        }
    }

    #[test]
    fn a_group_reads_as_it_is_written() {
        let group = declarations().into_iter().find(|entry| entry.name == "group_spec").unwrap();
        let text = text(&group);
        assert!(text.starts_with("group_spec(name, ...)\n"), "{text}");
        assert!(text.contains("  phases: a dict of functions by the names of their phases\n"), "{text}");
        assert!(!text.contains("Every action takes"), "{text}");
    }
}

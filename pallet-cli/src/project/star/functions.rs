//! The signatures of the functions that need no load: all actions, and the specs.

use std::sync::Arc;

use pallet_core::action::{Options, TABLE};
use pallet_core::schemars::schema_for;
use serde_json::{Value as Json, json};
use starlark::typing::Ty;

use super::fact::TYPE;
use super::function::{HostBehavior, HostFunction};
use super::node_spec_schema::node_spec_schema;
use super::scoped::ScopeFunction;
use super::signature::{Parameter, Signature};
use super::spec::SpecFunction;
use super::spec_values::{FactValue, GroupValue, NodeSpecValue, RolloutValue, ServerValue};
use super::types::Kind;
use crate::project::schema::{DEFINED_IN, Schema};

const SECRET: &str = "Stands for the value of a secret of pallet.toml. Only the action that it \
    is passed to gets the value.\n\n\
    Example: `remote_file(request, \"/etc/app.key\", content = secret(\"app\"), mode = \"0600\")`";
const WITH_ACTION_OPTIONS: &str = "Calls a function whose actions share these options.\n\n\
    Example: `with_action_options(request, deploy, user = \"app\", directory = \"/srv/app\")`";
const PLAN_WHEN: &str = "Calls a function whose actions apply to the nodes on which a command \
    succeeds.\n\n\
    Example: `plan_when(request, \"systemd-detect-virt --quiet\", lambda request: package(request, \
    \"qemu-guest-agent\"))`";
const PLAN_WHEN_NOT: &str = "Calls a function whose actions apply to the nodes on which a command \
    fails.\n\n\
    Example: `plan_when_not(request, \"test -e /srv/keep\", clean)`";
const ON_FAILURE: &str = "Calls a function. If one of its actions fails on a node, those after \
    it are skipped, and the actions of `then` run. If these succeed, the node goes on, with a \
    warning that tells what failed. Without `then`, or if that fails too, the node fails. The \
    actions of `always` run last in both cases.\n\n\
    If the function changes nothing on a node, nothing can fail there, and `then` is not planned. \
    An action that cannot be planned is not rescued, and neither is a lost connection.\n\n\
    Example: `on_failure(request, upgrade, then = roll_back, always = lambda request: \
    service(request, \"app\"))`";
const NODE_SPEC: &str = "Declares what a node must be. The smallest and cheapest offer of the \
    service that meets all conditions is used.\n\n\
    Example: `node_spec(image = {\"os_family\": \"debian\"}, hardware = {\"min_cores\": 2})`";
const SERVER_SPEC: &str = "Declares a kind of server: phases, roles and a node-spec, for groups \
    to extend.\n\n\
    Example: `base = server_spec(phases = {\"bootstrap\": automated_admin_user})`";
const GROUP_SPEC: &str = "Declares a group of identical nodes: a name, a count, and what they \
    are.\n\n\
    Example: `web = group_spec(\"web\", count = 2, extends = [base], phases = \
    {\"configure\": configure})`";
const CLUSTER_SPEC: &str = "Declares groups that belong together, with what they share. The groups \
    are called CLUSTER-GROUP.\n\n\
    Example: `cluster_spec(\"shop\", groups = [web, database])`";
const DEFNODE: &str = "Declares a group in one call. It takes the parameters of `group_spec` \
    and of `node_spec`; any other keyword is a phase.\n\n\
    Example: `web = defnode(\"web\", count = 2, image = {\"os_family\": \"debian\"}, configure = \
    configure)`";

const ROLLOUT: &str = "Says how lift and converge proceed through the nodes of a group: in waves, \
    each of which must succeed before the next one begins.\n\n\
    Example: `rollout(waves = [\"1\", \"25%\", \"100%\"], health = healthy, pause = \"30s\")`";
const FACT: &str = "Asks each node for a fact of the project's own: what a read-only command \
    prints. It is asked along with everything else, in the same round trip, before anything is \
    changed. Functions read it as `request.facts.NAME`.\n\n\
    Example: `fact(\"gpu\", \"lspci -mm | grep -c NVIDIA\", type = int)`";
const ON_NODE: &str = "Calls a function whose actions run on another node of the project, at this \
    point of the phase: a balancer that must forget this node, for example. The function gets a \
    request whose target is that node.\n\n\
    Example: `on_node(request, request.targets_in_group(\"balancer\")[0], forget)`";
const LOCALLY: &str = "Calls a function whose actions run on the machine on which Pallet runs, as \
    the user who runs it.\n\n\
    Example: `locally(request, lambda request: exec_script(request, \"./notify deployed\"))`";
const RUN_ONCE: &str = "Calls a function for one node of the group only: the first of the \
    operation that can be reached. Its actions run once, whatever the number of nodes.\n\n\
    Example: `run_once(request, lambda request: exec_script(request, \"/srv/app/migrate\"))`";

/// All of them.
pub(crate) fn functions<'a>(secrets: impl Iterator<Item = &'a str>) -> Vec<HostFunction> {
    actions().chain(scopes()).chain(specs()).chain([secret(secrets)]).collect()
}

/// The actions.
pub(crate) fn actions() -> impl Iterator<Item = HostFunction> {
    TABLE.iter().map(|entry| {
        let mut signature = data_signature(entry.name, (entry.parameters)());
        let options = schema_for!(Options).to_value();
        let options = options.get("properties").and_then(Json::as_object).into_iter().flatten();
        for (name, node) in options {
            // an action's own parameter wins
            if signature.root["properties"].get(name).is_none() {
                signature.parameters.push(option(name, node.clone()));
            }
        }
        signature.returns = Ty::none();
        HostFunction::new(Arc::new(signature), HostBehavior::Action(entry.name))
    })
}

/// The function that refers to a secret of pallet.toml.
pub(crate) fn secret<'a>(names: impl Iterator<Item = &'a str>) -> HostFunction {
    let names: Vec<&str> = names.collect();
    let name = Parameter {
        name: "name".into(),
        kind: Kind::Data(json!({"enum": names, DEFINED_IN: "[secrets] of pallet.toml"})),
        required: true,
        positional: true,
    };
    let signature = Signature {
        doc: SECRET.to_owned(),
        parameters: vec![name],
        returns: Ty::string(),
        ..plain_signature("secret")
    };
    HostFunction::new(Arc::new(signature), HostBehavior::Secret)
}

/// The functions that run others in a scope.
pub(crate) fn scopes() -> impl Iterator<Item = HostFunction> {
    let required = |name: &str, kind: Kind| Parameter {
        name: name.to_owned(),
        kind,
        required: true,
        positional: true,
    };
    let text = || Kind::Data(json!({"type": "string"}));
    let function = |name: &str, doc: &str, parameters: Vec<Parameter>, does: ScopeFunction| {
        let signature = Signature { doc: doc.to_owned(), parameters, ..plain_signature(name) };
        HostFunction::new(Arc::new(signature), HostBehavior::Scope(does))
    };
    let options = [
        option("user", json!({"type": ["string", "null"]})),
        option("directory", json!({"type": ["string", "null"]})),
        option(
            "environment",
            json!({"type": ["object", "null"], "additionalProperties": {"type": "string"}}),
        ),
        option("tags", json!({"type": "array", "items": {"type": "string"}})),
    ];
    let with = [
        vec![required("request", Kind::Request), required("function", Kind::Function)],
        options.to_vec(),
    ]
    .concat();
    let plain = || vec![required("request", Kind::Request), required("function", Kind::Function)];
    let other = vec![
        required("request", Kind::Request),
        required("node", Kind::Any("a target, or the name of a node")),
        required("function", Kind::Function),
    ];
    let when = || {
        vec![
            required("request", Kind::Request),
            required("command", text()),
            required("function", Kind::Function),
        ]
    };
    let block = vec![
        required("request", Kind::Request),
        required("function", Kind::Function),
        keyword("then", Kind::Function),
        keyword("always", Kind::Function),
    ];
    [
        function("on_failure", ON_FAILURE, block, ScopeFunction::OnFailure),
        function("with_action_options", WITH_ACTION_OPTIONS, with, ScopeFunction::Options),
        function("on_node", ON_NODE, other, ScopeFunction::OnNode),
        function("locally", LOCALLY, plain(), ScopeFunction::Locally),
        function("run_once", RUN_ONCE, plain(), ScopeFunction::RunOnce),
        function("plan_when", PLAN_WHEN, when(), ScopeFunction::When),
        function("plan_when_not", PLAN_WHEN_NOT, when(), ScopeFunction::WhenNot),
    ]
    .into_iter()
}

/// The signature of a function that takes the request and the parameters of a schema: required ones
/// by position or keyword, in order; the others by keyword only.
pub(crate) fn data_signature(function: &str, root: Json) -> Signature {
    let request =
        Parameter { name: "request".into(), kind: Kind::Request, required: true, positional: true };
    let schema = Schema::new(&root);
    let nodes = root.get("properties").and_then(Json::as_object);
    let parameters = nodes.into_iter().flatten().map(|(name, node)| {
        let required = schema.requires(name);
        Parameter {
            name: name.clone(),
            kind: Kind::Data(node.clone()),
            required,
            positional: required,
        }
    });
    let parameters = std::iter::once(request).chain(parameters).collect();
    let doc = root.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
    Signature { doc, parameters, root, ..plain_signature(function) }
}

/// The signature of a function without parameters and with any result.
pub(crate) fn plain_signature(function: &str) -> Signature {
    let (function, doc) = (function.to_owned(), String::new());
    Signature {
        function,
        doc,
        parameters: Vec::new(),
        root: json!({}),
        phases: false,
        returns: Ty::any(),
    }
}

/// The functions that create specs.
pub(crate) fn specs() -> Vec<HostFunction> {
    let root = node_spec_schema();
    let nodes: Vec<Parameter> = root
        .get("properties")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .map(|(name, node)| option(name, node.clone()))
        .collect();
    let name = Parameter {
        name: "name".into(),
        kind: Kind::Data(json!({"type": "string"})),
        required: true,
        positional: true,
    };
    let count =
        option("count", json!({"type": ["integer", "null"], "minimum": 0, "format": "uint32"}));
    let server = [
        keyword("extends", Kind::Specs),
        keyword("phases", Kind::Phases),
        keyword("node_spec", Kind::NodeSpec),
        keyword("roles", Kind::Names),
        keyword("default_phases", Kind::Names),
    ];
    let more = [keyword("rollout", Kind::Rollout), keyword("facts", Kind::Facts)];
    let text = |name: &str| Parameter {
        name: name.to_owned(),
        kind: Kind::Data(json!({"type": "string"})),
        required: true,
        positional: true,
    };
    let fact = vec![
        text("name"),
        text("command"),
        keyword("type", Kind::Any(TYPE)),
        option("default", json!({})),
    ];
    let protect = [option("protect", json!({"type": ["boolean", "null"]}))];
    let min_count = [option(
        "min_count",
        json!({"type": ["integer", "null"], "minimum": 0, "format": "uint32"}),
    )];
    let guarded = [&server[..], &more, &protect, &min_count].concat();
    let share = || json!({"type": ["string", "integer"]});
    let time = json!({"type": ["string", "integer", "null"], "minimum": 0});
    let waves = json!({"type": ["array", "string", "integer", "null"], "items": share()});
    let rollouts = vec![
        option("waves", waves),
        option("max_failures", json!({"type": ["string", "integer", "null"], "minimum": 0})),
        keyword("health", Kind::Function),
        option("pause", time),
        option("surge", json!({"type": ["integer", "null"], "minimum": 0, "format": "uint32"})),
    ];
    let groups = Parameter { required: true, ..keyword("groups", Kind::Groups) };
    let with = |first: &[&Parameter], rest: &[Parameter]| {
        first.iter().map(|one| (*one).clone()).chain(rest.iter().cloned()).collect::<Vec<_>>()
    };
    let spec = |function: &str,
                doc: &str,
                parameters: Vec<Parameter>,
                phases: bool,
                returns: Ty,
                does: SpecFunction| {
        let signature = Signature {
            doc: doc.to_owned(),
            parameters,
            root: root.clone(),
            phases,
            returns,
            ..plain_signature(function)
        };
        HostFunction::new(Arc::new(signature), HostBehavior::Spec(does))
    };
    let group = Ty::starlark_value::<GroupValue>();
    let defnode = [with(&[&name, &count], &nodes), guarded.clone()].concat();
    vec![
        spec(
            "node_spec",
            NODE_SPEC,
            nodes,
            false,
            Ty::starlark_value::<NodeSpecValue>(),
            SpecFunction::NodeSpec,
        ),
        spec(
            "server_spec",
            SERVER_SPEC,
            [&server[..], &more].concat(),
            false,
            Ty::starlark_value::<ServerValue>(),
            SpecFunction::ServerSpec,
        ),
        spec(
            "group_spec",
            GROUP_SPEC,
            with(&[&name, &count], &guarded),
            false,
            group.clone(),
            SpecFunction::GroupSpec,
        ),
        spec(
            "cluster_spec",
            CLUSTER_SPEC,
            with(&[&name, &groups, &count], &[&server[..], &more, &protect].concat()),
            false,
            group.clone(),
            SpecFunction::ClusterSpec,
        ),
        spec("defnode", DEFNODE, defnode, true, group, SpecFunction::DefNode),
        spec(
            "rollout",
            ROLLOUT,
            rollouts,
            false,
            Ty::starlark_value::<RolloutValue>(),
            SpecFunction::Rollout,
        ),
        spec("fact", FACT, fact, false, Ty::starlark_value::<FactValue>(), SpecFunction::Fact),
    ]
}

fn option(name: &str, node: Json) -> Parameter {
    keyword(name, Kind::Data(node))
}

fn keyword(name: &str, kind: Kind) -> Parameter {
    Parameter { name: name.to_owned(), kind, required: false, positional: false }
}

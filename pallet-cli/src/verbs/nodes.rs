//! `nodes` and `groups`, and their text forms.

use super::selection::SelectionOptions;
use super::verb::ParameterType::Targets;
use super::verb::{Text, Verb, VerbParameter, command};

/// List the project's nodes, and mark those whose group is not declared
#[derive(Debug, clap::Args)]
pub(crate) struct Nodes {
    /// Only these nodes: names of nodes, groups and roles, patterns such as
    /// `web-*` and `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file
    #[arg(value_name = "NODES")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: SelectionOptions,
}

const WHAT: VerbParameter = VerbParameter::optional(
    "what",
    Targets,
    Text::Own("Only these nodes, or those of these groups."),
);

pub(super) const NODES: Verb = Verb {
    name: "nodes",
    command: Some(|| command::<Nodes>("nodes")),
    command_only: &["names"],
    summary: Text::Own("List the project's nodes."),
    more: "Each has name, group, status, address, system, reached_by and id.",
    examples: &["nodes()", "[node.address for node in nodes(web)]"],
    parameters: &[WHAT],
};

pub(super) const SHOW_NODES: Verb = Verb {
    name: "show_nodes",
    command: None,
    command_only: &[],
    summary: Text::Own("Print the project's nodes."),
    more: "",
    examples: &["show_nodes()"],
    parameters: &[WHAT],
};

pub(super) const GROUPS: Verb = Verb {
    name: "groups",
    command: None,
    command_only: &[],
    summary: Text::Own(
        "List the groups: those of the project, and those declared in this session.",
    ),
    more: "",
    examples: &["groups()"],
    parameters: &[],
};

pub(super) const SHOW_GROUP: Verb = Verb {
    name: "show_group",
    command: None,
    command_only: &[],
    summary: Text::Own("Print a group: its count, phases, roles, node_spec and nodes."),
    more: "",
    examples: &["show_group(web)"],
    parameters: &[VerbParameter::required("group", Targets, Text::Own("The group."))],
};

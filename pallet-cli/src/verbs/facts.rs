//! `facts`: what is known of nodes.

use super::selection::SelectionOptions;
use super::verb::ParameterType::Targets;
use super::verb::{Text, Verb, VerbParameter, command};

/// Show the facts of nodes: system, memory, disks, network, and the project's own facts
#[derive(Debug, clap::Args)]
pub(crate) struct Facts {
    /// Only these nodes: names of nodes, groups and roles, patterns such as
    /// `web-*` and `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file
    #[arg(value_name = "NODES")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: SelectionOptions,
}

pub(super) const FACTS: Verb = Verb {
    name: "facts",
    command: Some(|| command::<Facts>("facts")),
    command_only: &["names"],
    summary: Text::Command,
    more: "Each has the attributes of `request.target`, `facts` for the project's own, and \
        `error`.",
    examples: &["[node.memory for node in facts(web)]"],
    parameters: &[VerbParameter::optional(
        "what",
        Targets,
        Text::Own("Only these nodes, or those of these groups."),
    )],
};

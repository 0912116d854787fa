//! `explain`, `explain_plan` and `explain_session`: what would be done and why, and what was done.

use super::selection::SelectionOptions;
use super::verb::ParameterType::{Any, Flag, Phases, Targets, Text as TextType};
use super::verb::{Text, Verb, VerbParameter, command};

/// Explain each action: who declared it, what it observes and changes, and its script; nothing is
/// written
///
/// A group is explained as its first node would be created, without any node. An existing node is
/// observed, as in a dry run.
#[derive(Debug, clap::Args)]
pub(crate) struct Explain {
    /// Groups, or existing nodes: names of nodes, groups and roles, patterns such as `web-*` and
    /// `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file [default: all
    /// groups]
    #[arg(value_name = "GROUP|NODES")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) selection: SelectionOptions,
    /// Explain this phase [default: the phases of a converge for a group, of a lift for a node]
    #[arg(long = "phase", value_name = "PHASE")]
    pub(crate) phases: Vec<String>,
    /// Explain this code as a phase, with `request` in scope: 'package(request, "tree")'
    #[arg(short = 'e', long = "expression", value_name = "CODE")]
    pub(crate) code: Vec<String>,
    /// Assume this system for the nodes of groups: "debian 12", "rocky 9", "alpine" [default: the
    /// one that node_spec selects]
    #[arg(long, value_name = "SYSTEM")]
    pub(crate) os: Option<String>,
    /// Show all scripts, not only short ones
    #[arg(long)]
    pub(crate) script: bool,
}

const SYSTEM: VerbParameter = VerbParameter::keyword("os", TextType, Text::Argument("os"));
const SCRIPTS: VerbParameter = VerbParameter::keyword("scripts", Flag, Text::Argument("script"));

pub(super) const EXPLAIN: Verb = Verb {
    name: "explain",
    command: Some(|| command::<Explain>("explain")),
    command_only: &["code"],
    summary: Text::Command,
    more: "A group is explained as its first node would be created; existing nodes are observed.",
    examples: &["explain(web, phase = \"configure\", os = \"debian 12\")"],
    parameters: &[
        VerbParameter::optional("what", Targets, Text::Argument("names")),
        VerbParameter::keyword("phase", Phases, Text::Argument("phases")),
        SYSTEM,
        SCRIPTS,
    ],
};

pub(super) const EXPLAIN_PLAN: Verb = Verb {
    name: "explain_plan",
    command: Some(|| command::<Explain>("explain")),
    command_only: &["names", "phases", "code"],
    summary: Text::Own("Explain a function of the request as if it were a phase of a group."),
    more: "Given a group, explains that group.",
    examples: &["explain_plan(lambda request: nginx.install(request), web)"],
    parameters: &[
        VerbParameter::required(
            "plan",
            Any("a function of the request, or a group"),
            Text::Own("What to explain."),
        ),
        VerbParameter::optional(
            "what",
            Targets,
            Text::Own("Explain it for this group or these nodes [default: the first group]."),
        ),
        SYSTEM,
        SCRIPTS,
    ],
};

pub(super) const EXPLAIN_SESSION: Verb = Verb {
    name: "explain_session",
    command: None,
    command_only: &[],
    summary: Text::Own(
        "Show what an operation did on each node: the actions that changed something, and who \
         declared them.",
    ),
    more: "",
    examples: &["explain_session(lift(web))"],
    parameters: &[VerbParameter::optional(
        "outcome",
        Any("the outcome of an operation"),
        Text::Own("What converge, lift, drift or down returned [default: the last value]."),
    )],
};

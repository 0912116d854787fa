//! `converge` and `down`: the number of nodes.

use serde::{Deserialize, Serialize};

use super::junit::JunitOptions;
use super::operation::{
    DRY_RUN, MAX_FAILURES, OVERWRITE_CHANGES, OperationOptions, PARALLEL, PHASE, ResumeOptions,
    SKIP_TAGS, TAGS, WAVES,
};
use super::selection::SelectionOptions;
use super::verb::ParameterType::{Any, Counts, Flag, Targets};
use super::verb::{Text, Verb, VerbParameter, command};

/// Create or destroy nodes to match the group counts, and configure all nodes
///
/// `web=3` overrides the count of a group. `old=0` destroys the nodes of a group that is no longer
/// declared. `--limit` and the like choose which existing nodes are configured; new nodes always
/// are.
#[derive(Debug, clap::Args, Serialize, Deserialize)]
pub(crate) struct Converge {
    /// Only these groups, each optionally with another count
    #[arg(value_name = "GROUP[=COUNT]")]
    pub(crate) groups: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) selection: SelectionOptions,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) options: OperationOptions,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) resumption: ResumeOptions,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) junit: JunitOptions,
    /// Show every image, hardware type and location considered for new nodes, and why it was chosen
    /// or rejected
    #[arg(long)]
    pub(crate) explain: bool,
    /// Destroy nodes without asking
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    /// Also destroy nodes of groups that the project no longer declares, without asking
    #[arg(long, conflicts_with_all = ["groups", "resume"])]
    pub(crate) remove_undeclared: bool,
    /// Make this node anew
    #[arg(long, value_name = "NODE", conflicts_with = "resume")]
    #[serde(default)]
    pub(crate) replace: Vec<String>,
    /// Make all nodes anew whose image, hardware or network is not what their node-spec now says
    #[arg(long, conflicts_with = "resume")]
    #[serde(default)]
    pub(crate) replace_outdated: bool,
    /// Allow to destroy nodes of this group although it is protected
    #[arg(long, value_name = "GROUP")]
    #[serde(default)]
    pub(crate) unprotect: Vec<String>,
}

/// Destroy nodes: all of the project, or some of them
#[derive(Debug, clap::Args, Serialize)]
pub(crate) struct Down {
    /// Only these nodes: names of nodes, groups and roles, patterns such as
    /// `web-*` and `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file
    #[arg(value_name = "NODES")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) selection: SelectionOptions,
    /// Destroy nodes without asking
    #[arg(short = 'y', long)]
    pub(crate) yes: bool,
    /// Allow to destroy nodes of this group although it is protected
    #[arg(long, value_name = "GROUP")]
    pub(crate) unprotect: Vec<String>,
    /// Do not write the operation to the journal
    #[arg(long)]
    pub(crate) no_journal: bool,
}

const NAMES: &str = "a name, or a list of names";
const UNPROTECT: VerbParameter =
    VerbParameter::keyword("unprotect", Any(NAMES), Text::Argument("unprotect"));
const YES: VerbParameter = VerbParameter::keyword("yes", Flag, Text::Argument("yes"));

pub(super) const CONVERGE: Verb = Verb {
    name: "converge",
    command: Some(|| command::<Converge>("converge")),
    command_only: &[
        "code",
        "timeout",
        "detailed_exitcode",
        "explain",
        "confirm_waves",
        "resume",
        "resume_anyway",
        "no_journal",
        "junit",
    ],
    summary: Text::Command,
    more: "Returns the outcome: `nodes`, `created`, `destroyed`, `plan`, `ok`.",
    examples: &["converge({web: 3})", "[node.name for node in converge().nodes if node.failed]"],
    parameters: &[
        VerbParameter::optional("groups", Counts, Text::Argument("groups")),
        PHASE,
        TAGS,
        SKIP_TAGS,
        DRY_RUN,
        OVERWRITE_CHANGES,
        PARALLEL,
        WAVES,
        MAX_FAILURES,
        YES,
        VerbParameter::keyword("remove_undeclared", Flag, Text::Argument("remove_undeclared")),
        VerbParameter::keyword("replace", Any(NAMES), Text::Argument("replace")),
        VerbParameter::keyword("replace_outdated", Flag, Text::Argument("replace_outdated")),
        UNPROTECT,
    ],
};

pub(super) const DOWN: Verb = Verb {
    name: "down",
    command: Some(|| command::<Down>("down")),
    command_only: &["names", "no_journal"],
    summary: Text::Command,
    more: "Returns the outcome.",
    examples: &["down(yes = True)", "down(\"web-2\")"],
    parameters: &[
        VerbParameter::optional("what", Targets, Text::Own("Only these groups or nodes.")),
        YES,
        UNPROTECT,
    ],
};

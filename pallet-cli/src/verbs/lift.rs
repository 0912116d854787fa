//! `lift` and `drift`: existing nodes.

use serde::{Deserialize, Serialize};

use super::junit::JunitOptions;
use super::operation::{
    DRY_RUN, MAX_FAILURES, OVERWRITE_CHANGES, OperationOptions, PARALLEL, PHASE, ResumeOptions,
    SKIP_TAGS, TAGS, WAVES,
};
use super::selection::SelectionOptions;
use super::verb::ParameterType::Targets;
use super::verb::{Text, Verb, VerbParameter, command};

/// Configure existing nodes, without creating or destroying any
#[derive(Debug, clap::Args, Serialize, Deserialize)]
pub(crate) struct Lift {
    /// Only these nodes: names of nodes, groups and roles, patterns such as
    /// `web-*` and `web-[1:9]`, `!web-3` to leave a node out, `@FILE` for the lines of a file
    #[arg(value_name = "NODES")]
    pub(crate) groups: Vec<String>,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) selection: SelectionOptions,
    /// Report drift without changing anything; exit with code 3 if there is any
    #[arg(long, conflicts_with_all = ["dry_run", "overwrite_changes", "resume"])]
    pub(crate) drift_only: bool,
    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) options: OperationOptions,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) resumption: ResumeOptions,
    #[command(flatten)]
    #[serde(skip)]
    pub(crate) junit: JunitOptions,
}

const WHAT: VerbParameter =
    VerbParameter::optional("what", Targets, Text::Own("Only these groups or nodes."));

pub(super) const LIFT: Verb = Verb {
    name: "lift",
    command: Some(|| command::<Lift>("lift")),
    command_only: &[
        "groups",
        "drift_only",
        "code",
        "timeout",
        "detailed_exitcode",
        "confirm_waves",
        "resume",
        "resume_anyway",
        "no_journal",
        "junit",
    ],
    summary: Text::Command,
    more: "Returns the outcome: `nodes`, `plan`, `ok`.",
    examples: &[
        "lift(web, phase = \"restart\")",
        "lift(web, phase = lambda request: package(request, \"tree\"))",
    ],
    parameters: &[
        WHAT,
        PHASE,
        TAGS,
        SKIP_TAGS,
        DRY_RUN,
        OVERWRITE_CHANGES,
        PARALLEL,
        WAVES,
        MAX_FAILURES,
    ],
};

pub(super) const DRIFT: Verb = Verb {
    name: "drift",
    command: Some(|| command::<Lift>("lift")),
    command_only: &[
        "groups",
        "drift_only",
        "dry_run",
        "overwrite_changes",
        "code",
        "timeout",
        "detailed_exitcode",
        "waves",
        "max_failures",
        "confirm_waves",
        "resume",
        "resume_anyway",
        "no_journal",
        "junit",
    ],
    summary: Text::Argument("drift_only"),
    more: "Returns the outcome, whose `plan` has the drift.",
    examples: &["drift(web)"],
    parameters: &[WHAT, PHASE, TAGS, SKIP_TAGS, PARALLEL],
};

//! The options of every operation that configures nodes.

use pallet_core::engine::{Share, Waves};
use serde::{Deserialize, Serialize};

use super::verb::ParameterType::{Any, Flag, Number, Phases};
use super::verb::{Text, VerbParameter};

/// Options of every operation that configures nodes.
#[derive(Debug, Clone, clap::Args, Serialize, Deserialize)]
pub(crate) struct OperationOptions {
    /// Run this phase instead of the default phases
    #[arg(long = "phase", value_name = "PHASE")]
    pub(crate) phases: Vec<String>,
    /// Run this code as a phase, with `request` in scope: 'package(request, "tree")'
    #[arg(short = 'e', long = "expression", value_name = "CODE")]
    pub(crate) code: Vec<String>,
    /// Only the actions with one of these tags; a crate's name and crate functions such as
    /// nginx.site are tags too
    #[arg(long, visible_alias = "only", value_name = "TAGS", value_delimiter = ',')]
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    /// Not the actions with one of these tags
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    #[serde(default)]
    pub(crate) skip_tags: Vec<String>,
    /// Show what would change, without changing anything
    #[arg(short = 'n', long, alias = "check")]
    pub(crate) dry_run: bool,
    /// With --dry-run, exit with code 6 if something would change
    #[arg(long, alias = "detailed-exit-code")]
    #[serde(default)]
    pub(crate) detailed_exitcode: bool,
    /// Overwrite files that were changed by hand since Pallet wrote them [default: report and keep
    /// them]
    #[arg(long)]
    pub(crate) overwrite_changes: bool,
    /// Maximum number of nodes in parallel
    #[arg(
        long, value_name = "N", default_value_t = PARALLEL_NODES,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub(crate) parallel: u16,
    /// Stop the operation after SECONDS; each unfinished node reports what it was doing
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: Option<u32>,
    /// Change the nodes of each group in waves: how many nodes are done after each, as numbers or
    /// percentages, such as 1,25%,100%; a single value is the size of every wave
    #[arg(long, value_name = "WAVES")]
    #[serde(default)]
    pub(crate) waves: Option<Waves>,
    /// Begin nothing new once more than N nodes of a group failed: a number, or a percentage such
    /// as 5%
    #[arg(long, value_name = "N")]
    #[serde(default)]
    pub(crate) max_failures: Option<Share>,
    /// Ask before each wave but the first
    #[arg(long)]
    #[serde(default)]
    pub(crate) confirm_waves: bool,
    /// Do not write the operation to the journal
    #[arg(long)]
    pub(crate) no_journal: bool,
}

/// The default of `--parallel`.
const PARALLEL_NODES: u16 = 50;

impl OperationOptions {
    /// Refuses what makes no sense together.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        if self.detailed_exitcode && !self.dry_run {
            anyhow::bail!("--detailed-exitcode tells what a dry run found: add --dry-run");
        }
        Ok(())
    }

    /// These options of an interrupted operation, with what may be different when it is resumed.
    pub(crate) fn go_on_with(&mut self, now: &OperationOptions) {
        self.confirm_waves |= now.confirm_waves;
        self.no_journal |= now.no_journal;
        self.timeout = now.timeout.or(self.timeout);
        if now.parallel != PARALLEL_NODES {
            self.parallel = now.parallel;
        }
    }
}

/// Options to go on with an operation that did not get to its end.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ResumeOptions {
    /// Go on with the operation ID, or with the latest: what it finished is skipped, what it was
    /// doing is observed again, and the rest runs as it was asked for then
    #[arg(long, value_name = "ID", num_args = 0..=1, conflicts_with_all = [
            "groups", "phases", "code", "dry_run", "overwrite_changes", "waves", "max_failures",
            "limit", "failed", "matching", "sample", "tags", "skip_tags",
        ])]
    pub(crate) resume: Option<Option<String>>,
    /// Resume even if the project has changed since
    #[arg(long, requires = "resume")]
    pub(crate) resume_anyway: bool,
}

pub(super) const WAVES: VerbParameter =
    VerbParameter::keyword("waves", Any("text such as \"1,25%,100%\""), Text::Argument("waves"));
pub(super) const MAX_FAILURES: VerbParameter = VerbParameter::keyword(
    "max_failures",
    Any("a number, or a percentage such as \"5%\""),
    Text::Argument("max_failures"),
);
const TAGS_OF: &str = "a tag, or a list of tags";
pub(super) const TAGS: VerbParameter =
    VerbParameter::keyword("tags", Any(TAGS_OF), Text::Argument("tags"));
pub(super) const SKIP_TAGS: VerbParameter =
    VerbParameter::keyword("skip_tags", Any(TAGS_OF), Text::Argument("skip_tags"));
pub(super) const PHASE: VerbParameter =
    VerbParameter::keyword("phase", Phases, Text::Argument("phases"));
pub(super) const DRY_RUN: VerbParameter =
    VerbParameter::keyword("dry_run", Flag, Text::Argument("dry_run"));
pub(super) const OVERWRITE_CHANGES: VerbParameter =
    VerbParameter::keyword("overwrite_changes", Flag, Text::Argument("overwrite_changes"));
pub(super) const PARALLEL: VerbParameter =
    VerbParameter::keyword("parallel", Number, Text::Argument("parallel"));

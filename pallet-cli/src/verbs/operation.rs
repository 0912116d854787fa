//! The options of every operation that configures nodes.

use serde::{Deserialize, Serialize};

use super::verb::ParameterType::{Flag, Number, Phases};
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
    /// Show what would change, without changing anything
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Overwrite files that were changed by hand since Pallet wrote them [default: report and keep
    /// them]
    #[arg(long)]
    pub(crate) overwrite_changes: bool,
    /// Maximum number of nodes in parallel
    #[arg(
        long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u16).range(1..=10_000)
    )]
    pub(crate) parallel: u16,
    /// Stop the operation after SECONDS; each unfinished node reports what it was doing
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) timeout: Option<u32>,
    /// Do not write the operation to the journal
    #[arg(long)]
    pub(crate) no_journal: bool,
}

pub(super) const PHASE: VerbParameter =
    VerbParameter::keyword("phase", Phases, Text::Argument("phases"));
pub(super) const DRY_RUN: VerbParameter =
    VerbParameter::keyword("dry_run", Flag, Text::Argument("dry_run"));
pub(super) const OVERWRITE_CHANGES: VerbParameter =
    VerbParameter::keyword("overwrite_changes", Flag, Text::Argument("overwrite_changes"));
pub(super) const PARALLEL: VerbParameter =
    VerbParameter::keyword("parallel", Number, Text::Argument("parallel"));

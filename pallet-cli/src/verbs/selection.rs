//! Which nodes a command is for.

use clap::builder::NonEmptyStringValueParser;
use serde::{Deserialize, Serialize};

/// Those options, which only commands have: functions are given what they are for.
#[cfg_attr(not(test), allow(dead_code, reason = "marks that a test compares"))]
pub(super) const NARROWING: [&str; 4] = ["limit", "failed", "matching", "sample"];

/// Options that narrow which nodes a command is for.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
pub(crate) struct SelectionOptions {
    /// Only those of the nodes that this means too: nodes, groups, roles and patterns
    #[arg(
        short = 'l', long, value_name = "NODES", value_delimiter = ',',
        value_parser = NonEmptyStringValueParser::new()
    )]
    #[serde(default)]
    pub(crate) limit: Vec<String>,
    /// Only those of the nodes that failed in the last operation of the project, or were not
    /// reached
    #[arg(long)]
    #[serde(default)]
    pub(crate) failed: bool,
    /// Only those of the nodes whose facts meet CONDITION, a Starlark expression such as
    /// 'os.family == "debian" and cores > 2'
    #[arg(
        id = "matching", long = "where", value_name = "CONDITION",
        value_parser = NonEmptyStringValueParser::new()
    )]
    #[serde(default)]
    pub(crate) matching: Option<String>,
    /// Only N of the nodes, chosen at random
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    #[serde(default)]
    pub(crate) sample: Option<u32>,
}

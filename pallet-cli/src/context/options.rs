//! The options that every command takes.

use std::path::PathBuf;

use crate::output::OutputFormat;

/// The options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GlobalOptions {
    /// Directory of the project [default: the nearest one with a pallet.toml, from the current
    /// directory upwards]
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// Service of pallet.toml to use [default: its default_service]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) service: Option<String>,
    /// Set a value of the environment, overriding all other sources; VALUE may be JSON
    #[arg(long = "env", value_name = "KEY=VALUE", global = true)]
    pub(crate) environment: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, global = true)]
    pub(crate) output: OutputFormat,
    /// Also show unchanged actions; with -vv, also the output of nodes
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

//! Options that every command takes.

use std::path::PathBuf;

use crate::output::OutputFormat;

/// Options that every command takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct GlobalOptions {
    /// Work on the project in this directory [default: the current one, or the nearest above it
    /// that holds a pallet.toml]
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// Use this service of pallet.toml [default: its default_service]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) service: Option<String>,
    /// Set a value of the environment, over all others; VALUE may be JSON
    #[arg(long = "env", value_name = "KEY=VALUE", global = true)]
    pub(crate) environment: Vec<String>,
    /// Print for a person or for a program
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, global = true)]
    pub(crate) output: OutputFormat,
    /// Say more: also what did not change; twice: also what the nodes print
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
}

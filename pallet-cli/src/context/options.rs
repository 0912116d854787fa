//! The options that every command takes.

use std::path::PathBuf;

use crate::output::{ColorChoice, OutputFormat, PrintOptions};
use crate::process::ProcessEnv;

/// The options that every command takes.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct GlobalOptions {
    /// Directory of the project [env: PALLET_DIRECTORY] [default: the nearest one with a
    /// pallet.toml, from the current directory upwards]
    #[arg(short = 'C', long = "directory", value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// Service of pallet.toml to use [env: PALLET_SERVICE] [default: that of the stage, or
    /// default_service]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) service: Option<String>,
    /// Stage of pallet.toml to use, such as prod [env: PALLET_STAGE]
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) stage: Option<String>,
    /// Confirm that stage NAME is to be changed, without a question
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) confirm_stage: Option<String>,
    /// Set a value of the environment, overriding all other sources; KEY may be dotted, as in
    /// proxy.port, and VALUE may be JSON
    #[arg(long = "env", value_name = "KEY=VALUE", global = true)]
    pub(crate) environment: Vec<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = OutputFormat::Text, global = true)]
    pub(crate) output: OutputFormat,
    /// When to use colours
    #[arg(
        long, visible_alias = "colour", value_enum, value_name = "WHEN",
        default_value_t = ColorChoice::Auto, global = true
    )]
    pub(crate) color: ColorChoice,
    /// Also show unchanged actions; with -vv, also the output of nodes
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub(crate) verbose: u8,
    /// Show only warnings and failures, and what a command was asked for
    #[arg(short, long, conflicts_with = "verbose", global = true)]
    pub(crate) quiet: bool,
    /// Tell what changes node by node [default: what is equal on several nodes once]
    #[arg(long, global = true)]
    pub(crate) per_node: bool,
    /// Show the diffs of changes that are made, as users of Ansible know it; a dry run always shows
    /// them
    #[arg(long, hide = true, global = true)]
    pub(crate) diff: bool,
}

impl GlobalOptions {
    /// These options; what is not on the command line comes from environment variables.
    pub(crate) fn or_from(mut self, env: &ProcessEnv) -> Self {
        self.directory = self.directory.or_else(|| env.directory.clone());
        self.service = self.service.or_else(|| env.service.clone());
        self.stage = self.stage.or_else(|| env.stage.clone());
        self
    }

    /// What to print, and how.
    pub(crate) fn print_options(&self) -> PrintOptions {
        PrintOptions {
            output: self.output,
            color: self.color,
            verbose: self.verbose,
            quiet: self.quiet,
            per_node: self.per_node,
            diff: self.diff,
        }
    }
}

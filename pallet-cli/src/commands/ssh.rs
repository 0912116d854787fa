//! `pallet-cli ssh`

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::context::Context;

/// Open a shell on a node, or run a command there
#[derive(Debug, clap::Args)]
pub(crate) struct Ssh {
    /// Node, or a group with a single node
    node: String,
    /// Command to run instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Ssh {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load_for_nodes(false)?;
        // who has a shell may change anything
        context.confirm_stage(&loaded.project)?;
        let engine = context.engine(&loaded)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime")?;
        let node = runtime.block_on(engine.select_one(&loaded.project.groups, &self.node))?;
        let argv = engine.login(&node, &self.command)?;
        let (program, arguments) =
            argv.split_first().context("the provider gave no command to reach the node with")?;
        let error = Command::new(program).args(arguments).exec();
        bail!("cannot run {program}: {error}")
    }
}

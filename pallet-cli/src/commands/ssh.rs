//! `pallet-cli ssh`

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};
use pallet_core::engine::BOOTSTRAPPED_TAG;
use pallet_core::model::{Connection, NodeStatus};

use crate::context::Context;

/// Log in to a node, or run a command there
#[derive(Debug, clap::Args)]
pub(crate) struct Ssh {
    /// The node
    node: String,
    /// A command to run there instead of a shell
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Ssh {
    pub(crate) fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        let loaded = context.load(context.registry(false)?)?;
        let engine = context.engine(&loaded)?;
        let nodes = engine.service.nodes()?;
        let Some(node) = nodes.iter().find(|node| node.name == self.node || node.id == self.node) else {
            let known: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
            bail!("there is no node {}; there are: {}", self.node, known.join(", "));
        };
        if node.status == NodeStatus::Stopped {
            bail!("node {} is stopped; converge starts it", node.name);
        }
        if node.status == NodeStatus::Starting {
            bail!("node {} is still starting; try again in a moment", node.name);
        }
        let mut argv: Vec<String> = match &node.connection {
            Connection::Ssh(ssh) => {
                let mut argv = vec!["ssh".to_owned()];
                if let Some(port) = ssh.port {
                    argv.extend(["-p".to_owned(), port.to_string()]);
                }
                for file in ssh.identity_files.iter().map(String::from).chain(engine.connect.identity_files.iter().map(|file| file.display().to_string())) {
                    argv.extend(["-i".to_owned(), file]);
                }
                // what the provider knows of the node's keys, besides known_hosts
                if let Some(key) = ssh.host_keys.first() {
                    argv.extend(["-o".to_owned(), format!("KnownHostsCommand=/bin/echo %H {key}")]);
                }
                let image_user = node.image_user.as_ref().filter(|_| !node.tags.contains_key(BOOTSTRAPPED_TAG));
                if let Some(user) = image_user.or(ssh.user.as_ref()).or((!loaded.user_is_default).then_some(&engine.connect.user)) {
                    argv.extend(["-l".to_owned(), user.clone()]);
                }
                argv.extend(["--".to_owned(), ssh.host.clone()]);
                argv
            }
            Connection::Exec { command } => command.clone(),
            Connection::Local => Vec::new(),
            Connection::Unknown => bail!("node {} is reached in a way that this pallet does not know: it needs a newer pallet", node.name),
        };
        let by_ssh = matches!(node.connection, Connection::Ssh(_));
        match (by_ssh, self.command.is_empty()) {
            // ssh hands its words to a shell, joined by spaces
            (true, _) => argv.extend(self.command.iter().map(|word| pallet_core::script::quote(word))),
            (false, true) => argv.extend(["sh", "-c", "exec $(command -v bash || echo sh) -l"].map(str::to_owned)),
            (false, false) => argv.extend(self.command),
        }
        let (program, arguments) = argv.split_first().context("there is no command to reach the node with")?;
        let error = Command::new(program).args(arguments).exec();
        bail!("cannot run {program}: {error}")
    }
}

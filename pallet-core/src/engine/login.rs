//! Logs in to a node: the command to run in a user's terminal.

use super::node::Session;
use super::{Engine, EngineError, GroupSpec, Selection};
use crate::model::{Connection, Node};
use crate::script::quote;
use crate::transport;

/// The command for a login shell, for connections that have none of their own.
const SHELL: [&str; 3] = ["sh", "-c", "exec $(command -v bash || echo sh) -l"];

impl Engine {
    /// The node with this name, or the only node of the group with this name.
    pub async fn select_one(&self, groups: &[GroupSpec], name: &str) -> Result<Node, EngineError> {
        let mut nodes = self.select(groups, &Selection::named(name)).await?;
        if nodes.len() > 1
            && let Some(own) = nodes.iter().position(|node| node.name == name || node.id == name)
        {
            return Ok(nodes.swap_remove(own));
        }
        match nodes.len() {
            1 => Ok(nodes.swap_remove(0)),
            count => {
                let names =
                    nodes.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ");
                Err(EngineError::Refused(format!(
                    "group {name} has {count} nodes: {names}; name one of them"
                )))
            }
        }
    }

    /// The program and arguments that log in to a node the way a lift does, or that run `command`
    /// there. The caller runs them in a terminal.
    pub fn login(&self, node: &Node, command: &[String]) -> Result<Vec<String>, EngineError> {
        let session = Session::alone(self, node.clone());
        let refuse = |why: String| EngineError::Refused(format!("node {}: {why}", node.name));
        if let Some(why) = session.cannot_be_asked() {
            return Err(refuse(why));
        }
        let (connection, _) = session.connection();
        let mut argv = match &connection {
            Connection::Ssh(ssh) => {
                let mut argv = vec!["ssh".to_owned()];
                if let Some(port) = ssh.port {
                    argv.extend(["-p".to_owned(), port.to_string()]);
                }
                let own = self.connect.identity_files.iter().map(|file| file.display().to_string());
                for file in ssh.identity_files.iter().cloned().chain(own) {
                    argv.extend(["-i".to_owned(), file]);
                }
                // the host key that the provider knows, in addition to known_hosts
                if let Some(key) = ssh.host_keys.first() {
                    argv.extend(["-o".to_owned(), format!("KnownHostsCommand=/bin/echo %H {key}")]);
                }
                if let Some(user) = transport::login_user(&connection, &self.connect)
                    .map_err(|error| refuse(error.to_string()))?
                {
                    argv.extend(["-l".to_owned(), user]);
                }
                argv.extend(["--".to_owned(), ssh.host.clone()]);
                // ssh joins its arguments with spaces and passes them to a shell
                argv.extend(words(command).iter().map(|word| quote(word)));
                return Ok(argv);
            }
            Connection::Exec { command } if command.is_empty() => {
                return Err(refuse("its provider reports no command to reach it".to_owned()));
            }
            Connection::Exec { command } => command.clone(),
            Connection::Local => Vec::new(),
            Connection::Unknown => {
                return Err(refuse(
                    "this pallet does not know its kind of connection; it needs a newer pallet"
                        .to_owned(),
                ));
            }
        };
        match command.is_empty() {
            true => argv.extend(SHELL.map(str::to_owned)),
            false => argv.extend(words(command)),
        }
        Ok(argv)
    }
}

/// The words to run, like those of `run`: a single word is a shell line, several are taken
/// literally.
fn words(command: &[String]) -> Vec<String> {
    match command {
        [line] => vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
        words => words.to_vec(),
    }
}

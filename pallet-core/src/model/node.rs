//! A node as its provider knows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Os;

/// A node: a machine with an operating system that Pallet can reach and configure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Identifies the node to its provider, for as long as it exists.
    pub id: String,
    /// The name for people, and the node's host name: `web-1`.
    pub name: String,
    /// The name of the group-spec that the node belongs to, from a tag at the provider.
    #[serde(default)]
    pub group: Option<String>,
    /// The address of the node's services.
    #[serde(default)]
    pub address: Option<String>,
    /// Inbound TCP ports that are not reached at the node's address, each with its actual address:
    /// `127.0.0.1:20003`, `[::1]:20003`.
    #[serde(default)]
    pub ports: BTreeMap<u16, String>,
    /// How Pallet reaches the node.
    pub connection: Connection,
    /// The user to log in as until the node is bootstrapped, as its image has it. Afterwards the
    /// admin user logs in.
    #[serde(default)]
    pub image_user: Option<String>,
    /// Whether it runs.
    #[serde(default)]
    pub status: NodeStatus,
    /// The operating system according to the provider. The system found on the node overrides it.
    #[serde(default)]
    pub os: Option<Os>,
    /// Tags that the provider keeps with the node.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Whether the provider can keep tags with this node. Otherwise Pallet's marks are kept on the
    /// node itself.
    #[serde(default)]
    pub taggable: bool,
    /// When it was created, in seconds since 1970-01-01 UTC; 0 if the provider does not know.
    #[serde(default)]
    pub created: u64,
    /// Whether the provider never destroys it: an existing machine that was only listed.
    #[serde(default)]
    pub permanent: bool,
}

impl Node {
    /// Creates a running node without further details.
    pub fn new(id: impl Into<String>, name: impl Into<String>, connection: Connection) -> Self {
        Node {
            id: id.into(),
            name: name.into(),
            group: None,
            address: None,
            ports: BTreeMap::new(),
            connection,
            image_user: None,
            status: NodeStatus::Running,
            os: None,
            tags: BTreeMap::new(),
            taggable: false,
            created: 0,
            permanent: false,
        }
    }
}

/// Whether a node runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// It runs.
    #[default]
    Running,
    /// It exists and is about to run. It is fine, but may not answer yet.
    Starting,
    /// It exists but does not run.
    Stopped,
    /// It exists, but the provider reports a failure.
    Failed,
    /// A state that this version of Pallet does not know.
    #[serde(other)]
    Unknown,
}

impl NodeStatus {
    /// Its name: `running`, `starting`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            NodeStatus::Running => "running",
            NodeStatus::Starting => "starting",
            NodeStatus::Stopped => "stopped",
            NodeStatus::Failed => "failed",
            NodeStatus::Unknown => "unknown",
        }
    }
}

/// How Pallet connects to a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Connection {
    /// Over ssh.
    Ssh(SshConnection),
    /// Through a command on this machine that takes another command as its last arguments, such as
    /// `nsenter --target 42 --all`.
    Exec {
        /// The command and its arguments.
        command: Vec<String>,
    },
    /// The node is this machine.
    Local,
    /// A type that this version of Pallet does not know: the plugin needs a newer one.
    #[serde(other)]
    Unknown,
}

impl Connection {
    /// Where the node is on the network: `192.0.2.7:2222`; `None` if it is not reached over ssh.
    pub fn address(&self) -> Option<String> {
        match self {
            Connection::Ssh(SshConnection { host, port: Some(port), .. }) => {
                Some(format!("{host}:{port}"))
            }
            Connection::Ssh(ssh) => Some(ssh.host.clone()),
            _ => None,
        }
    }
}

/// How to connect over ssh. Omitted values come from the ssh configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SshConnection {
    /// A host name, an address, or a `Host` of the ssh configuration.
    pub host: String,
    /// The TCP port.
    #[serde(default)]
    pub port: Option<u16>,
    /// The login user; `None`: the admin user.
    #[serde(default)]
    pub user: Option<String>,
    /// Private keys to try, as paths on this machine.
    #[serde(default)]
    pub identity_files: Vec<String>,
    /// The node's host keys, as the provider knows them: `ssh-ed25519 AAAA...`. If empty,
    /// known_hosts decides.
    #[serde(default)]
    pub host_keys: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_version_says_is_read_as_far_as_it_is_known() {
        let old: Node = serde_json::from_str(
            r#"{"id":"i","name":"web-1","connection":{"kind":"local"},"status":"melting"}"#,
        )
        .unwrap();
        assert_eq!((old.status, old.ports.len()), (NodeStatus::Unknown, 0));
        let node = Node {
            status: NodeStatus::Starting,
            ports: BTreeMap::from([(80, "127.0.0.1:20003".to_owned())]),
            ..old
        };
        // as it crosses the binary interface
        let crossed: Node = serde_json::from_value(serde_json::to_value(&node).unwrap()).unwrap();
        assert_eq!(crossed, node);
    }
}

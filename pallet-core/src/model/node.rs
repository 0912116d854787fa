//! A node as its provider knows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Os;

/// A compute node: something with an operating system that can be reached and configured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Names the node to its provider, for as long as it exists.
    pub id: String,
    /// Names the node to people, and is its host name: `web-1`.
    pub name: String,
    /// The name of the group-spec that the node belongs to, from a tag at the provider.
    #[serde(default)]
    pub group: Option<String>,
    /// Where the node's services can be reached.
    #[serde(default)]
    pub address: Option<String>,
    /// Inbound TCP ports that are reached somewhere else than at the node's address, each with
    /// where: `127.0.0.1:20003`, `[::1]:20003`.
    #[serde(default)]
    pub ports: BTreeMap<u16, String>,
    /// How Pallet reaches the node.
    pub connection: Connection,
    /// Who logs in to a node that was just made, as its image has it, until the node was
    /// bootstrapped; then the admin user does.
    #[serde(default)]
    pub image_user: Option<String>,
    /// Whether it runs.
    #[serde(default)]
    pub status: NodeStatus,
    /// What the provider claims of the operating system; what is found on the node overrides it.
    #[serde(default)]
    pub os: Option<Os>,
    /// Tags that the provider keeps with the node.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// Whether the provider can keep tags with this node. Where it cannot, marks stand on the node
    /// itself.
    #[serde(default)]
    pub taggable: bool,
    /// When it was created, in seconds since 1970-01-01 UTC; 0 if the provider does not know.
    #[serde(default)]
    pub created: u64,
    /// Whether its provider never destroys it: a machine that is listed, and not made.
    #[serde(default)]
    pub permanent: bool,
}

impl Node {
    /// A running node of which nothing more is known.
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
    /// It exists and is about to run: nothing is wrong with it, and it cannot be relied on to
    /// answer yet.
    Starting,
    /// It exists and does not run.
    Stopped,
    /// It exists, and the provider says that something is wrong with it.
    Failed,
    /// A state that this Pallet does not know.
    #[serde(other)]
    Unknown,
}

impl NodeStatus {
    /// The word for it: `running`, `starting`, ...
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

/// How a node is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Connection {
    /// Over ssh.
    Ssh(SshConnection),
    /// By a command on this machine that takes another command as its last arguments, such as
    /// `nsenter --target 42 --all`.
    Exec {
        /// The command and its arguments.
        command: Vec<String>,
    },
    /// The node is this machine.
    Local,
    /// A way that this Pallet does not know: its plugin needs a newer Pallet.
    #[serde(other)]
    Unknown,
}

/// How a node is reached over ssh. What is absent comes from ssh's own configuration.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SshConnection {
    /// A host name, an address, or a `Host` of the ssh configuration.
    pub host: String,
    /// The TCP port.
    #[serde(default)]
    pub port: Option<u16>,
    /// Who logs in; otherwise the admin user does.
    #[serde(default)]
    pub user: Option<String>,
    /// Private keys to try, as paths on this machine.
    #[serde(default)]
    pub identity_files: Vec<String>,
    /// Host keys that the provider knows the node to have, as `ssh-ed25519 AAAA...`; otherwise
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
        // as it crosses the boundary
        let crossed: Node = serde_json::from_value(serde_json::to_value(&node).unwrap()).unwrap();
        assert_eq!(crossed, node);
    }
}

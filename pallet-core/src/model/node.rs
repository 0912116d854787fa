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
    /// How Pallet reaches the node.
    pub connection: Connection,
    /// Who logs in to a node that was just made, as its image has it, until the node was bootstrapped; then the admin user does.
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
    /// Whether the provider can keep tags with this node. Where it cannot, marks stand on the node itself.
    #[serde(default)]
    pub taggable: bool,
    /// When it was created, in seconds since 1970-01-01 UTC; 0 if the provider does not know.
    #[serde(default)]
    pub created: u64,
}

impl Node {
    /// A running node of which nothing more is known.
    pub fn new(id: impl Into<String>, name: impl Into<String>, connection: Connection) -> Self {
        Node {
            id: id.into(),
            name: name.into(),
            group: None,
            address: None,
            connection,
            image_user: None,
            status: NodeStatus::Running,
            os: None,
            tags: BTreeMap::new(),
            taggable: false,
            created: 0,
        }
    }
}

/// Whether a node runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// It runs, or is about to.
    #[default]
    Running,
    /// It exists and does not run.
    Stopped,
    /// It exists, and the provider says that something is wrong with it.
    Failed,
    /// A state that this Pallet does not know.
    #[serde(other)]
    Unknown,
}

/// How a node is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Connection {
    /// Over ssh.
    Ssh(SshConnection),
    /// By a command on this machine that takes another command as its last arguments, such as `nsenter --target 42 --all`.
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
    /// Host keys that the provider knows the node to have, as `ssh-ed25519 AAAA...`; otherwise known_hosts decides.
    #[serde(default)]
    pub host_keys: Vec<String>,
}

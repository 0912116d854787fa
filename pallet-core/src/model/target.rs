//! A node as the functions of its group see it.

use serde::{Deserialize, Serialize};

use super::Os;

/// What a phase function can know of a node: its own (`request.target`) or any other of the
/// project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Names the node to its provider.
    pub id: String,
    /// The node's host name.
    pub name: String,
    /// The group it belongs to.
    pub group: String,
    /// Where its services can be reached.
    #[serde(default)]
    pub address: Option<String>,
    /// The roles of its group, sorted.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Its operating system, as found on the node.
    pub os: Os,
}

/// What ends the address of a node that is not there yet, in a plan: `web-3.known-after-apply`.
pub const KNOWN_AFTER_APPLY: &str = ".known-after-apply";

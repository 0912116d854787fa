//! A node as the functions of its group see it.

use serde::{Deserialize, Serialize};

use super::Os;

/// What a phase function knows about a node: its own (`request.target`) or any other of the
/// project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Identifies the node to its provider.
    pub id: String,
    /// The node's host name.
    pub name: String,
    /// The group it belongs to.
    pub group: String,
    /// The address of the node's services.
    #[serde(default)]
    pub address: Option<String>,
    /// The roles of its group, sorted.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Its operating system, as found on the node.
    pub os: Os,
}

/// The suffix of the address of a node that does not exist yet, in a plan:
/// `web-3.known-after-apply`.
pub const KNOWN_AFTER_APPLY: &str = ".known-after-apply";

//! What Pallet reads from every node first.

use serde::{Deserialize, Serialize};

use super::Os;

/// The facts of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Its operating system.
    pub os: Os,
    /// Its own host name.
    pub hostname: String,
    /// The user that scripts run as, after sudo.
    pub user: String,
    /// Processor cores.
    pub cores: u32,
    /// Memory, in MiB.
    pub ram: u64,
    /// Whether the node itself is marked as bootstrapped (`/var/lib/pallet/bootstrapped` exists).
    pub bootstrapped: bool,
    /// Flags that an interrupted run set on the node, before it did the work that they ask for.
    #[serde(default)]
    pub pending_flags: Vec<String>,
}

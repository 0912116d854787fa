//! What is found on every node before anything is asked of it.

use serde::{Deserialize, Serialize};

use super::Os;

/// The facts of a node, as found on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Its operating system.
    pub os: Os,
    /// Its own host name.
    pub hostname: String,
    /// Who the scripts run as, after sudo.
    pub user: String,
    /// Processor cores.
    pub cores: u32,
    /// Memory, in MiB.
    pub ram: u64,
    /// Whether the node itself is marked as bootstrapped (`/var/lib/pallet/bootstrapped` exists).
    pub bootstrapped: bool,
    /// Flags that were set on the node by a run that ended before it did what they call for.
    #[serde(default)]
    pub pending_flags: Vec<String>,
}

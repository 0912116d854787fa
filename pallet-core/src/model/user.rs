//! The admin user: who Pallet is on the nodes.

use serde::{Deserialize, Serialize};

/// Who logs in to nodes and administers them. Secrets are not part of it: the host keeps those to
/// itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdminUser {
    /// The login name.
    pub name: String,
    /// The public keys that may log in as this user, each a line of an authorized_keys file.
    pub public_keys: Vec<String>,
    /// Commands run as this user itself, never through sudo.
    pub no_sudo: bool,
}

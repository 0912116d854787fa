//! The admin user.

use serde::{Deserialize, Serialize};

/// The user who logs in to nodes and administers them. It has no secrets: the host keeps those to
/// itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AdminUser {
    /// The login name.
    pub name: String,
    /// The public keys that may log in as this user, each as a line of authorized_keys.
    pub public_keys: Vec<String>,
    /// Run commands as this user, never through sudo.
    pub no_sudo: bool,
}

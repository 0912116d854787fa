//! The names of phases with a meaning to Pallet.

/// Always runs first, so that later phases see its settings.
pub(in crate::engine) const SETTINGS: &str = "settings";
/// Runs on nodes that were never bootstrapped.
pub(in crate::engine) const BOOTSTRAP: &str = "bootstrap";
/// Runs before the first node of a group is created. If it fails, none is created.
pub(in crate::engine) const CREATE_GROUP: &str = "create-group";
/// Runs after the last node of a group was destroyed.
pub(in crate::engine) const DESTROY_GROUP: &str = "destroy-group";
/// Runs on nodes before they are destroyed.
pub(in crate::engine) const DESTROY_SERVER: &str = "destroy-server";
/// Runs on a node before its changes, and before it is destroyed: takes it out of service.
pub(in crate::engine) const DRAIN: &str = "drain";
/// Runs on a node after its changes: takes it back into service.
pub(in crate::engine) const UNDRAIN: &str = "undrain";
/// The health check of a rollout, after a node's changes.
pub(in crate::engine) const HEALTH: &str = "health check";
/// The name of an inline phase.
pub(in crate::engine) const INLINE: &str = "inline";

/// Phases that run automatically, not because a user named them.
pub(in crate::engine) const AUTOMATIC: [&str; 7] =
    [SETTINGS, BOOTSTRAP, CREATE_GROUP, DESTROY_GROUP, DESTROY_SERVER, DRAIN, UNDRAIN];

//! The names of phases that Pallet knows.

/// Always runs first, so that its settings are there for all that follows.
pub(in crate::engine) const SETTINGS: &str = "settings";
/// Runs on nodes that were never bootstrapped.
pub(in crate::engine) const BOOTSTRAP: &str = "bootstrap";
/// Runs before the first node of a group is made. Where it fails, none is.
pub(in crate::engine) const CREATE_GROUP: &str = "create-group";
/// Runs after the last node of a group was destroyed.
pub(in crate::engine) const DESTROY_GROUP: &str = "destroy-group";
/// Runs on nodes before they are destroyed.
pub(in crate::engine) const DESTROY_SERVER: &str = "destroy-server";
/// What an inline phase is called.
pub(in crate::engine) const INLINE: &str = "inline";

/// Phases that run by themselves at their time, and not because somebody asked for them.
pub(in crate::engine) const AUTOMATIC: [&str; 5] =
    [SETTINGS, BOOTSTRAP, CREATE_GROUP, DESTROY_GROUP, DESTROY_SERVER];

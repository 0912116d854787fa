//! What this provider says of itself.

/// One line.
pub(crate) const ABOUT: &str =
    "Nodes on this machine: Linux namespaces over an overlay of its own root";

//! The description of this provider.

/// The description, in one line.
pub(crate) const ABOUT: &str =
    "Nodes on this machine: Linux namespaces over an overlay of its own root";

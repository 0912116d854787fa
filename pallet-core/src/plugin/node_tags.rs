//! The tags by which providers find the nodes of a project.
//!
//! Existing nodes carry them: renaming a tag loses those nodes.

use std::collections::BTreeMap;

/// A tag, in the two spellings that services use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeTag {
    /// The name of the tag: `pallet-project`.
    pub tag: &'static str,
    /// The name as a label, where a dot separates the namespace: `pallet.project`.
    pub label: &'static str,
}

macro_rules! node_tags {
    ($($(#[$doc:meta])* $name:ident = $word:literal;)*) => {
        $(
            $(#[$doc])*
            pub const $name: NodeTag =
                NodeTag { tag: concat!("pallet-", $word), label: concat!("pallet.", $word) };
        )*
    };
}

node_tags! {
    /// The project that a node belongs to.
    PROJECT = "project";
    /// The node's group.
    GROUP = "group";
    /// The node's name.
    NAME = "name";
    /// The host key that the node was created with.
    HOST_KEY = "host-key";
    /// The user to log in as until the node is bootstrapped.
    IMAGE_USER = "image-user";
    /// Stores the lease.
    LEASE = "lease";
}

/// The tags of a node.
pub fn of_node(project: &str, group: &str, name: &str) -> BTreeMap<String, String> {
    let tags = [(PROJECT, project), (GROUP, group), (NAME, name)];
    tags.into_iter().map(|(tag, value)| (tag.tag.to_owned(), value.to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_never_change() {
        assert_eq!((PROJECT.tag, PROJECT.label), ("pallet-project", "pallet.project"));
        assert_eq!((IMAGE_USER.tag, IMAGE_USER.label), ("pallet-image-user", "pallet.image-user"));
        assert_eq!((LEASE.tag, LEASE.label), ("pallet-lease", "pallet.lease"));
        let tags = of_node("shop", "web", "web-1");
        assert_eq!(tags["pallet-group"], "web");
        assert_eq!(tags["pallet-name"], "web-1");
    }
}

//! Nodes that their provider never destroys.

use super::nodes::Nodes;
use crate::engine::Engine;
use crate::engine::operation::Event;
use crate::engine::selection::shortened;
use crate::model::{Node, natural};
use crate::plugin::{ErrorKind, PluginError};

impl Engine {
    /// Warns about nodes that their provider never destroys, before anything is destroyed.
    pub(super) fn tell_permanent(&self, nodes: &[Node]) {
        if nodes.is_empty() {
            return;
        }
        let mut names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        names.sort_by_cached_key(|name| natural(name));
        let (stays, it) = match names.len() {
            1 => ("stays: its provider", "it"),
            _ => ("stay: their provider", "them"),
        };
        let message =
            format!("{} {stays} only lists {it}, and never destroys machines", shortened(&names));
        self.tell(Event::Warning { node: None, message });
    }
}

impl Nodes<'_> {
    /// Records a failure for each node that should be destroyed but is permanent.
    pub(super) fn keep_permanent(&mut self, nodes: &[Node]) {
        for node in nodes {
            let error = PluginError::new(
                ErrorKind::Unsupported,
                "its provider only lists it, and never destroys machines",
            )
            .with_help(
                "take it out of the service's options in pallet.toml, or raise the count of its \
                 group",
            );
            self.not_destroyed(node, &error);
        }
    }
}

//! Options of a copy.

use crate::engine::selection::{Pattern, PatternError, Selection};

/// Options of a copy.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// Also copy directories, with everything in them.
    pub recursive: bool,
    /// Read and write on nodes as the login user, not as root.
    pub no_sudo: bool,
    /// The maximum number of nodes to copy with in parallel.
    pub parallel: usize,
    /// Put the downloads of each node into a directory named after it, even if there is only one
    /// node.
    pub by_node: bool,
    /// Of the nodes that the copy names, only these. Its words are ignored.
    pub selection: Selection,
}

impl Default for CopyOptions {
    fn default() -> Self {
        CopyOptions {
            recursive: false,
            no_sudo: false,
            parallel: 10,
            by_node: false,
            selection: Selection::default(),
        }
    }
}

impl CopyOptions {
    /// The selection of the nodes that the copy names so.
    pub(super) fn selection_of(&self, name: &str) -> Result<Selection, PatternError> {
        Ok(self.selection.with_words(vec![Pattern::parse(name)?]))
    }
}

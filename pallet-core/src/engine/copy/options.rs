//! Options of a copy.

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
}

impl Default for CopyOptions {
    fn default() -> Self {
        CopyOptions { recursive: false, no_sudo: false, parallel: 10, by_node: false }
    }
}

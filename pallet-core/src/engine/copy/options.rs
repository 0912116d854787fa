//! How to copy.

/// How to copy.
#[derive(Debug, Clone)]
pub struct CopyOptions {
    /// Directories too, with all that is in them.
    pub recursive: bool,
    /// Read and write there as whoever logs in, not as root.
    pub no_sudo: bool,
    /// The maximum number of nodes in parallel.
    pub parallel: usize,
    /// Downloads of each node go into a directory of its name, even if there is only one.
    pub by_node: bool,
}

impl Default for CopyOptions {
    fn default() -> Self {
        CopyOptions { recursive: false, no_sudo: false, parallel: 10, by_node: false }
    }
}

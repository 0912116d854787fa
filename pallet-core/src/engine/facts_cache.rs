//! Remembers the facts of nodes between runs, so that actions can be declared before a node was
//! asked.
//!
//! Remembered facts are only a guess: every observation reads the facts again, and a node whose
//! facts changed is planned again.

use std::fs::DirBuilder;
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use tempfile::NamedTempFile;

use crate::model::{Facts, digest};

/// A directory with one file per node.
#[derive(Debug, Clone)]
pub struct FactsCache {
    directory: PathBuf,
}

impl FactsCache {
    /// A cache in this directory, which is created when needed.
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        FactsCache { directory: directory.into() }
    }

    pub(super) fn get(&self, scope: &str, id: &str) -> Option<Facts> {
        serde_json::from_slice(&std::fs::read(self.path(scope, id)).ok()?).ok()
    }

    /// Stores facts. If that fails, the next run needs one more round trip, nothing else.
    pub(super) fn put(&self, scope: &str, id: &str, facts: &Facts) {
        let path = self.path(scope, id);
        let write = || -> std::io::Result<()> {
            // whatever the umask, nobody else may write files that Pallet trusts
            DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
            let mut file = NamedTempFile::new_in(&self.directory)?;
            file.write_all(&serde_json::to_vec(facts)?)?;
            file.persist(&path)?;
            Ok(())
        };
        let _ = write();
    }

    pub(super) fn remove(&self, scope: &str, id: &str) {
        let _ = std::fs::remove_file(self.path(scope, id));
    }

    fn path(&self, scope: &str, id: &str) -> PathBuf {
        let name = digest(format!("{scope}\0{id}").as_bytes());
        self.directory.join(format!("{}.json", &name[..32]))
    }
}

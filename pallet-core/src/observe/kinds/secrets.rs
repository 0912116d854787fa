//! Which files of a node hold secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Files that were written with secrets in them, by path and by digest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Secrets {
    paths: BTreeSet<String>,
    digests: BTreeSet<String>,
}

impl Secrets {
    /// Adds newer knowledge.
    pub(super) fn learn(&mut self, newer: Secrets) {
        self.paths.extend(newer.paths);
        self.digests.extend(newer.digests);
    }

    pub(crate) fn has_path(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    pub(crate) fn has_digest(&self, digest: &str) -> bool {
        self.digests.contains(digest)
    }

    pub(crate) fn add(&mut self, path: &str, digest: Option<&str>) {
        self.paths.insert(path.to_owned());
        self.digests.extend(digest.map(str::to_owned));
    }

    pub(crate) fn remove_path(&mut self, path: &str) {
        self.paths.remove(path);
    }
}

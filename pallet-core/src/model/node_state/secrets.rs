//! Which files of a node hold secrets.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FileState, NodeState};

/// What was written with secrets in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Secrets {
    paths: BTreeSet<String>,
    digests: BTreeSet<String>,
}

impl Secrets {
    /// Lays what is known anew over this.
    pub(super) fn learn(&mut self, newer: Secrets) {
        self.paths.extend(newer.paths);
        self.digests.extend(newer.digests);
    }
}

impl NodeState {
    /// Whether what stands at a path was written with a secret in it, or has the content of what
    /// was. It is asked only of files whose content is.
    pub fn holds_secret(&self, path: &str) -> bool {
        let of_one = |digest: &Option<String>| {
            digest.as_ref().is_some_and(|digest| self.secrets.digests.contains(digest))
        };
        self.secrets.paths.contains(path)
            || matches!(
                self.files.get(path), Some(FileState::File { digest, .. }) if of_one(digest)
            )
    }

    /// Remembers that what stands at a path holds a secret, and the digest of what was written.
    pub fn set_secret(&mut self, path: &str, digest: Option<&str>) {
        self.secrets.paths.insert(path.to_owned());
        self.secrets.digests.extend(digest.map(str::to_owned));
    }

    /// Remembers that what stands at a path holds no secret any more. The content that did is one
    /// wherever it comes back.
    pub fn forget_secret(&mut self, path: &str) {
        self.secrets.paths.remove(path);
    }
}

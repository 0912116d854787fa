//! The content at an origin.

use std::sync::Arc;

use tempfile::TempDir;

use super::requirements::requires;
use crate::distribution::artifact::Digest;
use crate::distribution::lock::{LockedContent, LockedPlugin, LockedTarget, Origin};
use crate::distribution::repository::Repository;
use crate::model::PluginSummary;

/// The content at an origin.
#[derive(Clone)]
pub(super) enum Contents {
    /// A repository.
    Repository {
        repository: Arc<dyn Repository>,
        /// The temporary directory of an unpacked archive. It lives as long as the repository is in
        /// use.
        #[allow(dead_code, reason = "it is removed when nobody has it any more")]
        unpacked: Option<Arc<TempDir>>,
    },
    /// A plugin's files, which are already in the store.
    Files(Arc<LocalPlugin>),
}

/// A plugin that was never published.
#[derive(Debug)]
pub(super) struct LocalPlugin {
    pub(super) summary: PluginSummary,
    /// The digest of the file that contained it.
    pub(super) digest: Digest,
    pub(super) h1: String,
    pub(super) target: String,
}

impl LocalPlugin {
    pub(super) fn entry(&self, origin: &Origin) -> LockedPlugin {
        let target =
            LockedTarget { content: LockedContent::File(self.digest), h1: self.h1.clone() };
        LockedPlugin {
            kind: self.summary.kind,
            name: self.summary.name.clone(),
            version: self.summary.version.clone(),
            source: origin.clone(),
            requirement: None,
            requires: requires(&self.summary.requires),
            index: None,
            signer: None,
            accepted: None,
            targets: [(self.target.clone(), target)].into(),
        }
    }
}

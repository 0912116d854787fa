//! What is at an origin.

use std::sync::Arc;

use tempfile::TempDir;

use super::requirements::requires;
use crate::distribution::artifact::Digest;
use crate::distribution::lock::{LockedContent, LockedPlugin, LockedTarget, Origin};
use crate::distribution::repository::Repository;
use crate::model::PluginSummary;

/// What is at an origin.
#[derive(Clone)]
pub(super) enum Contents {
    /// A repository.
    Repository {
        repository: Arc<dyn Repository>,
        /// Where it was unpacked from an archive, for as long as it is used.
        #[allow(dead_code, reason = "it is removed when nobody has it any more")]
        unpacked: Option<Arc<TempDir>>,
    },
    /// A plugin's files, which are in the store already.
    Files(Arc<LocalPlugin>),
}

/// A plugin that was never published.
#[derive(Debug)]
pub(super) struct LocalPlugin {
    pub(super) summary: PluginSummary,
    /// The digest of the file that it came in.
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

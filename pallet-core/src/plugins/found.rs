//! A plugin that was found, and what it must be when it is loaded.

use std::path::PathBuf;

use super::tree::tree_digest;
use crate::model::PluginSummary;

/// A plugin that was found, not loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPlugin {
    /// What it says of itself.
    pub summary: PluginSummary,
    /// Its file.
    pub path: PathBuf,
    /// What it must be when it is loaded, if a lock names it.
    pub pinned: Option<PinnedFiles>,
}

/// A directory, and the digest of all that is in it: `h1:<base64>`.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedFiles {
    /// The directory.
    pub directory: PathBuf,
    /// The digest.
    pub h1: String,
}

impl PinnedFiles {
    /// Why a plugin must not be loaded: something in its directory is not as it was locked.
    pub(super) fn check(&self) -> Result<(), String> {
        let h1 = tree_digest(&self.directory)
            .map_err(|error| format!("cannot be checked: {error}; run `pallet-cli install`"))?;
        match h1 == self.h1 {
            true => Ok(()),
            false => Err(format!(
                "was changed since it was locked ({h1} instead of {}), and was not \
                    loaded; run `pallet-cli install`",
                self.h1
            )),
        }
    }
}

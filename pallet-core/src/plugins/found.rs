//! A plugin that was found, and the digest that it must have when it is loaded.

use std::path::PathBuf;

use super::tree::tree_digest;
use crate::model::PluginSummary;

/// A plugin that was found but is not loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundPlugin {
    /// Its summary.
    pub summary: PluginSummary,
    /// Its file.
    pub path: PathBuf,
    /// The locked files, if a lock names the plugin. They are checked before it is loaded.
    pub pinned: Option<PinnedFiles>,
}

/// A directory, and the digest of its content: `h1:<base64>`.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedFiles {
    /// The directory.
    pub directory: PathBuf,
    /// The digest.
    pub h1: String,
}

impl PinnedFiles {
    /// Fails if something in the plugin's directory is not as it was locked.
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

//! The manifest that a loaded plugin returns.

use std::path::Path;

use serde_json::Value;

use super::elf;
use super::error::RegistryError;
use super::found::FoundPlugin;
use crate::abi::host::open;

/// The manifest of the plugin in this file, as the plugin returns it. Loads the plugin.
pub fn whole_manifest(path: &Path) -> Result<Value, RegistryError> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let summary = elf::summary(&path)
        .map_err(|message| RegistryError::File { path: path.clone(), message })?;
    let found = FoundPlugin { summary, path, pinned: None };
    let module = open(&found.path)
        .map_err(|message| RegistryError::Load { path: found.path.clone(), message })?;
    module.whole_manifest().map_err(|error| RegistryError::of_plugin(&found, error))
}

//! The library among a plugin's files.

use std::env::consts::DLL_EXTENSION;
use std::fs;
use std::path::{Path, PathBuf};

/// The library among a plugin's files. There must be exactly one.
pub(super) fn only_library(directory: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(directory)
        .map_err(|error| format!("{} cannot be read: {error}", directory.display()))?;
    let is_library = |path: &PathBuf| path.extension().is_some_and(|end| end == DLL_EXTENSION);
    let mut libraries: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(is_library).collect();
    match (libraries.pop(), libraries.pop()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err("there is no library in it".to_owned()),
        _ => Err("there are several libraries in it".to_owned()),
    }
}

//! The file that a plugin is: a library, or the `crate.toml` of a crate in Starlark.

use std::path::{Path, PathBuf};

use super::elf;
use super::library::only_library;
use super::source::{DESCRIPTION, Description};
use crate::model::PluginSummary;

/// Whether a file is the description of a crate in Starlark.
pub fn is_source(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name == DESCRIPTION)
}

/// The summary of the plugin that a file is, without loading it. The error is one line without the
/// file's name.
pub fn summary(file: &Path) -> Result<PluginSummary, String> {
    match is_source(file) {
        true => Description::read(file).map(|description| description.summary()),
        false => elf::summary(file),
    }
}

/// The plugin's file in the directory of its files.
pub fn plugin_file(directory: &Path) -> Result<PathBuf, String> {
    let description = directory.join(DESCRIPTION);
    if !description.is_file() {
        return only_library(directory);
    }
    match only_library(directory) {
        Ok(_) => Err(format!("there is a library beside its {DESCRIPTION}")),
        Err(_) => Ok(description),
    }
}

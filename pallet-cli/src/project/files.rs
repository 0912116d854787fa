//! The files of a project: their names, and reading them.

use std::path::{Component, Path};

use super::options::UnsavedFiles;
use crate::diagnostic::Diagnostic;

/// The configuration file of a project.
pub(crate) const CONFIG: &str = "pallet.toml";

/// The file that declares the groups.
pub(crate) const MAIN: &str = "pallet.star";

/// Checks that the directory and the files of a project exist.
pub(super) fn check_files(directory: &Path, unsaved: &UnsavedFiles) -> Result<(), Diagnostic> {
    let shown = directory.display();
    if !directory.is_dir() {
        let message = if directory.exists() {
            format!("{shown} is not a directory")
        } else {
            format!("there is no directory {shown}")
        };
        return Err(Diagnostic::error(message)
            .suggest("set the project directory, which contains pallet.toml".to_owned()));
    }
    let (message, help) = match [CONFIG, MAIN]
        .map(|file| unsaved.contains_key(file) || directory.join(file).exists())
    {
        [true, true] => return Ok(()),
        [false, false] => (
            format!("there is no {CONFIG} and no {MAIN} in {shown}"),
            "`pallet-cli init` creates a project",
        ),
        [true, false] => (
            format!("there is no {MAIN} in {shown}"),
            "write one that declares a group: `group_spec(\"web\", count = 1)`",
        ),
        [false, true] => (
            format!("there is no {CONFIG} in {shown}"),
            "create it; if it is empty, the sandbox provider is used",
        ),
    };
    Err(Diagnostic::error(message).suggest(help.to_owned()))
}

/// The text of a file, which must be UTF-8.
pub(crate) fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
        Diagnostic::error(format!("{name} is not UTF-8 text: invalid byte in line {line}"))
            .suggest("save the file in UTF-8".to_owned())
    })
}

/// The file name in a load statement, without checking that it may be loaded.
pub(crate) fn file_name(module: &str) -> String {
    let normal = Path::new(module).components().filter_map(|component| match component {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    normal.collect::<Vec<_>>().join("/")
}

/// The name of a directory in the file system.
pub(super) fn directory_name(directory: &Path) -> String {
    let full = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    full.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

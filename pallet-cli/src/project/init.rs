//! Writes a new project.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::config::name_of_directory;
use super::files::{CONFIG, MAIN, directory_name};
use crate::diagnostic::Diagnostic;

/// The files with their content.
const FILES: [(&str, &str); 2] = [
    (CONFIG, include_str!("../../quickstart/pallet.toml")),
    (MAIN, include_str!("../../quickstart/pallet.star")),
];

/// Writes the quickstart into a directory, which is created if necessary, and returns the paths of
/// the files. Existing files are kept.
pub(crate) fn init(directory: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let there: Vec<&str> =
        FILES.iter().map(|(name, _)| *name).filter(|name| directory.join(name).exists()).collect();
    if !there.is_empty() {
        let verb = if there.len() == 1 { "exists" } else { "exist" };
        let message = format!("{} already {verb} in {}", there.join(" and "), directory.display());
        return Err(Diagnostic::error(message)
            .suggest("choose another directory; nothing was written".to_owned()));
    }
    let failed = |path: &Path, error: std::io::Error| {
        Diagnostic::error(format!("cannot write {}: {error}", path.display()))
    };
    std::fs::create_dir_all(directory).map_err(|error| failed(directory, error))?;
    let name = name_of_directory(&directory_name(directory));
    let mut written = Vec::new();
    for (file, text) in FILES {
        let path = directory.join(file);
        let text = text.replace("name = \"quickstart\"", &format!("name = \"{name}\""));
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        made.and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| failed(&path, error))?;
        written.push(path);
    }
    Ok(written)
}

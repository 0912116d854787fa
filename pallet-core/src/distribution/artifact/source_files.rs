//! The files of a crate in Starlark that are published and installed.

use std::path::Path;

use super::ArtifactError;
use super::pack::Files;
use crate::plugins::source::DESCRIPTION;

/// Maximum number of files of a crate.
const MAX_FILES: usize = 1000;

/// Maximum size of all files of a crate, in bytes.
const MAX_SIZE: u64 = 16 << 20;

/// Maximum depth of directories.
const MAX_DEPTH: usize = 16;

/// The files of the crate in a directory, by path: modules, templates and others. Its tests and
/// documents, hidden files and `target` are left out. Blocks.
pub(crate) fn source_files(directory: &Path) -> Result<Files, ArtifactError> {
    let mut found = Found { files: Files::new(), size: 0 };
    found.add(directory, "", 0)?;
    Ok(found.files)
}

struct Found {
    files: Files,
    size: u64,
}

impl Found {
    fn add(&mut self, directory: &Path, prefix: &str, depth: usize) -> Result<(), ArtifactError> {
        let wrong = |path: &Path, message: String| ArtifactError::NotAPlugin {
            place: path.display().to_string(),
            message,
        };
        for entry in std::fs::read_dir(directory).map_err(ArtifactError::reading(directory))? {
            let entry = entry.map_err(ArtifactError::reading(directory))?;
            let path = entry.path();
            let name = entry.file_name().into_string();
            let name = name.map_err(|_| wrong(&path, "its name is not UTF-8".to_owned()))?;
            if name.starts_with('.') || (prefix.is_empty() && is_left_out(&name)) {
                continue;
            }
            if name.contains(['\\', '\n']) {
                return Err(wrong(&path, "its name has a backslash or a line break".to_owned()));
            }
            let kind = entry.file_type().map_err(ArtifactError::reading(&path))?;
            if kind.is_dir() && depth < MAX_DEPTH {
                self.add(&path, &format!("{prefix}{name}/"), depth + 1)?;
                continue;
            }
            if !kind.is_file() {
                let what = if kind.is_dir() { "is too deep" } else { "is not a regular file" };
                return Err(wrong(&path, format!("{what}; a crate has only regular files")));
            }
            self.size += entry.metadata().map_err(ArtifactError::reading(&path))?.len();
            if self.size > MAX_SIZE || self.files.len() == MAX_FILES {
                let limits = format!("{MAX_FILES} files and {} MiB", MAX_SIZE >> 20);
                return Err(wrong(directory, format!("a crate has at most {limits}")));
            }
            let content = std::fs::read(&path).map_err(ArtifactError::reading(&path))?;
            self.files.insert(format!("{prefix}{name}"), content);
        }
        Ok(())
    }
}

/// What only the crate's authors need, and what is published as documents.
fn is_left_out(name: &str) -> bool {
    let upper = name.to_uppercase();
    let document = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "README", "CHANGELOG"];
    name != DESCRIPTION
        && (matches!(name, "tests" | "docs" | "target" | "plugin.json")
            || document.iter().any(|start| upper.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_its_modules_and_files() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = root.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, name).unwrap();
        };
        for name in [
            "crate.toml",
            "crate.star",
            "lib/a.star",
            "templates/README",
            "tests/a.star",
            "README.md",
            "LICENSE-MIT",
            ".git/config",
            "docs/a.md",
        ] {
            write(name);
        }
        let found: Vec<_> = source_files(root.path()).unwrap().into_keys().collect();
        assert_eq!(found, ["crate.star", "crate.toml", "lib/a.star", "templates/README"]);
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("files")).unwrap();
        let error = source_files(root.path()).unwrap_err().to_string();
        assert!(
            error.ends_with("is not a regular file; a crate has only regular files"),
            "{error}"
        );
    }
}

//! The modules that load statements name.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use starlark::environment::FrozenModule;
use starlark::eval::FileLoader;

use crate::diagnostic::Diagnostic;

/// Resolves load statements.
pub(super) struct Modules<'a> {
    pub(super) directory: &'a Path,
    pub(super) modules: HashMap<String, FrozenModule>,
}

impl FileLoader for Modules<'_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        let name = if path.starts_with('@') {
            path.to_owned()
        } else {
            path_of(self.directory, path, "").unwrap_or_default()
        };
        let module = self.modules.get(&name).cloned();
        module.ok_or_else(|| starlark::Error::new_other(anyhow::anyhow!("`{path}` was not loaded")))
    }
}

/// The name of a file: its path relative to the directory of the project or crate. `whose`: which
/// of them.
pub(super) fn path_of(directory: &Path, path: &str, whose: &str) -> Result<String, Diagnostic> {
    let outside = || {
        Diagnostic::error(format!("`{path}` is outside the {whose}")).suggest(format!(
            "load \"//dir/file.star\", relative to the {whose}'s directory, or \"@crate\""
        ))
    };
    let mut clean = PathBuf::new();
    for component in Path::new(path.strip_prefix("//").unwrap_or(path)).components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => return Err(outside()),
        }
    }
    // a symbolic link may lead outside as well
    if let (Ok(file), Ok(root)) = (directory.join(&clean).canonicalize(), directory.canonicalize())
        && !file.starts_with(&root)
    {
        return Err(outside());
    }
    Ok(clean.to_string_lossy().into_owned())
}

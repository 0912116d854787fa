//! Where downloads go on this machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where something that is called `name` goes: into `target` where that is a directory. The error is one line.
pub(super) fn place(target: &Path, name: &str, many: bool) -> Result<PathBuf, String> {
    let ends_with_slash = target.as_os_str().as_encoded_bytes().ends_with(b"/");
    if target.is_dir() {
        return Ok(target.join(name));
    }
    if ends_with_slash {
        return Err(format!("there is no directory {}", target.display()));
    }
    if many {
        return Err(format!("several sources need a directory, and there is none at {}", target.display()));
    }
    let parent = parent(target);
    match parent.is_dir() {
        true => Ok(target.to_owned()),
        false => Err(format!("there is no directory {}", parent.display())),
    }
}

/// The directory that a path stands in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// Puts a directory into its place. Where one stands already, its files are replaced one by one.
pub(super) fn merge(from: &Path, to: &Path) -> io::Result<()> {
    if !to.exists() {
        return fs::rename(from, to);
    }
    if !to.is_dir() {
        return Err(io::Error::other(format!("{} is there, and no directory", to.display())));
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        let found = fs::symlink_metadata(&to);
        match (entry.file_type()?.is_dir(), found) {
            (true, Ok(_)) => merge(&entry.path(), &to)?,
            (false, Ok(found)) if found.is_dir() => return Err(io::Error::other(format!("{} is a directory", to.display()))),
            _ => fs::rename(entry.path(), to)?,
        }
    }
    Ok(())
}

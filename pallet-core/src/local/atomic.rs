//! Replaces files of a project atomically.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::beside::{Beside, remove_dead};
use super::walk::open;

/// Replaces a file atomically, even if the machine crashes. The mode stays the same.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    // replace the target of a link, not the link
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mode = std::fs::metadata(&path)
        .map_or_else(|_| std::fs::Permissions::from_mode(0o644), |data| data.permissions());
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    remove_leftovers(directory);
    let (new, mut file) = Beside::file(&open(directory)?)?;
    file.write_all(content)?;
    file.set_permissions(mode)?;
    file.sync_all()?;
    new.persist(name)?;
    std::fs::File::open(directory)?.sync_all()
}

/// Removes files that a killed `write_atomically` left in a directory: only those that are
/// certainly its own, and that no process uses.
pub fn remove_leftovers(directory: &Path) {
    remove_dead(directory);
}

//! Replaces files of a project at once.

use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::beside::{Beside, remove_dead};
use super::walk::open;

/// Replaces a file so that it is the old or the new one at every moment, also when the machine
/// stops. It keeps its mode.
pub fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // what a link points to is replaced, not the link
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let directory = path.parent().unwrap_or(directory);
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

/// Removes what was left in a directory by a command that was killed while it wrote a file there:
/// only what is certainly its own, and dead.
pub fn remove_leftovers(directory: &Path) {
    remove_dead(directory);
}

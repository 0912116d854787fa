//! The directory of journals, which only its owner can enter.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// Creates a directory and those above it that are missing. Returns the directories that got a new
/// entry by that, which a crash must not undo.
pub(super) fn create(directory: &Path) -> io::Result<Vec<PathBuf>> {
    if directory.is_dir() {
        return Ok(Vec::new());
    }
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut changed = match parent {
        Some(parent) => create(parent)?,
        None => Vec::new(),
    };
    match DirBuilder::new().mode(0o700).create(directory) {
        // the umask may have taken bits away
        Ok(()) => std::fs::set_permissions(directory, Permissions::from_mode(0o700))?,
        // another process was faster
        Err(error) if error.kind() == ErrorKind::AlreadyExists && directory.is_dir() => {}
        Err(error) => return Err(error),
    }
    changed.push(parent.unwrap_or(Path::new(".")).to_owned());
    Ok(changed)
}

/// Fails if this process cannot create files in a directory.
pub(super) fn check_writable(directory: &Path) -> io::Result<()> {
    Ok(access(directory, Access::WRITE_OK | Access::EXEC_OK)?)
}

/// Makes the entries of a directory survive a crash.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

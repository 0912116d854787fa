//! Writes files where others may have put something else, such as a link.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::FileType;

use super::beside::{Beside, remove_dead};
use super::walk::{kind, open};

/// Writes a file that only its owner can read, atomically. Replaces a file of that name. Anything
/// else there, such as a link or a device, is an error: it is neither followed nor replaced.
pub fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    write_file(path, content, 0o600)
}

/// The same, for a file that others may read.
pub fn write_public(path: &Path, content: &[u8]) -> io::Result<()> {
    write_file(path, content, 0o644)
}

fn write_file(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let (directory, name) = place(path)?;
    let parent = open(directory)?;
    match kind(&parent, name)? {
        None | Some(FileType::RegularFile) => {}
        Some(FileType::Symlink) => return Err(io::Error::other("it is a link")),
        Some(_) => return Err(io::Error::other("it is there, and not a file")),
    }
    remove_dead(directory);
    let (new, mut file) = Beside::file(&parent)?;
    file.write_all(content)?;
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.sync_all()?;
    new.persist(name)
}

/// The directory of a file, and its name in it.
fn place(path: &Path) -> io::Result<(&Path, &OsStr)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    Ok((parent.unwrap_or(Path::new(".")), name))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, symlink};

    use super::*;

    #[test]
    fn files_are_replaced_and_nothing_else_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("page");
        for content in ["one", "two"] {
            write_private(&path, content.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        }
        let link = home.path().join("link");
        symlink("page", &link).unwrap();
        let refused = |path: &Path| write_private(path, b"three").unwrap_err().to_string();
        assert_eq!(refused(&link), "it is a link");
        assert_eq!(refused(home.path()), "it is there, and not a file");
        assert_eq!(refused(Path::new("/")), "it has no name");
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "two");
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2, "nothing is left over");
    }
}

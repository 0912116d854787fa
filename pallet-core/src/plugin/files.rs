//! Files on this machine in which a provider keeps its nodes: private directories, atomic writes,
//! and the lease.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Lease, unix_time};
use crate::model::Os;

/// Creates a directory that only its owner can access, with its parents.
pub fn make_private_directory(path: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

/// The subdirectories of a directory, sorted by name; empty if the directory does not exist.
pub fn subdirectories(path: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let directories =
        entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut directories: Vec<_> = directories.map(|entry| entry.path()).collect();
    directories.sort();
    Ok(directories)
}

/// Converts a name to a file name: escapes all but letters, digits, `-` and `_`, like `%2F`.
/// Different names never collide.
pub fn file_name(name: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');
    utf8_percent_encode(name, ESCAPED).to_string()
}

/// Writes a file atomically. It stays whole even if the machine crashes.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<()> {
    replace(path, content, File::sync_all)
}

fn replace(
    path: &Path,
    content: &[u8],
    settle: impl Fn(&File) -> std::io::Result<()>,
) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let part = path.with_extension("part");
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o644).open(&part)?;
        file.write_all(content)?;
        settle(&file)?;
        fs::rename(&part, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Takes or renews the lease in a file. Returns the lease of another holder, if there is one. The
/// caller must hold a lock that keeps others away from the file.
pub fn take_lease(file: &Path, wanted: &Lease) -> Result<Option<Lease>> {
    if let Some(held) = read_lease(file)?.filter(|held| held.excludes(&wanted.token, unix_time())) {
        return Ok(Some(held));
    }
    if let Some(directory) = file.parent() {
        make_private_directory(directory)?;
    }
    // not synced to disk: if the machine crashes, its leases end anyway
    replace(file, &serde_json::to_vec(wanted)?, |_| Ok(()))?;
    Ok(None)
}

/// Releases the lease in a file, if it has this token. The caller must hold the same lock.
pub fn release_lease(file: &Path, token: &str) -> Result<()> {
    if read_lease(file)?.is_some_and(|held| held.token == token) {
        fs::remove_file(file).with_context(|| format!("cannot remove {}", file.display()))?;
    }
    Ok(())
}

fn read_lease(file: &Path) -> Result<Option<Lease>> {
    match fs::read(file) {
        // an unreadable lease is no lease
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
    }
}

/// The os-release of the root file system in a directory; `None` if it has none.
pub fn os_release(root: &Path) -> Option<String> {
    let files = Os::RELEASE_FILES.map(|path| root.join(path));
    let own = files
        .iter()
        .filter(|file| fs::symlink_metadata(file).is_ok_and(|metadata| metadata.is_file()));
    own.into_iter().find_map(|file| fs::read_to_string(file).ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_lease_is_held_until_its_time_or_its_release() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("shop/lease.json");
        let lease = |token: &str, until: u64| Lease {
            token: token.into(),
            holder: token.into(),
            until,
            ..Lease::default()
        };
        let (one, later) = (lease("one", unix_time() + 60), lease("one", unix_time() + 120));
        assert_eq!(take_lease(&file, &one).unwrap(), None);
        assert_eq!(
            fs::metadata(directory.path().join("shop")).unwrap().permissions().mode() & 0o777,
            0o700
        );
        assert_eq!(take_lease(&file, &lease("two", unix_time() + 60)).unwrap(), Some(one));
        assert_eq!(take_lease(&file, &later).unwrap(), None, "it is renewed");
        release_lease(&file, "two").unwrap();
        assert_eq!(take_lease(&file, &lease("two", unix_time() + 60)).unwrap(), Some(later));
        release_lease(&file, "one").unwrap();
        assert!(!file.exists());
        assert_eq!(take_lease(&file, &lease("two", unix_time() - 1)).unwrap(), None);
        assert_eq!(
            take_lease(&file, &lease("three", unix_time() + 60)).unwrap(),
            None,
            "two's time is over"
        );
        fs::write(&file, "{").unwrap();
        assert_eq!(
            take_lease(&file, &lease("four", unix_time() + 60)).unwrap(),
            None,
            "what is no lease is held by nobody"
        );
    }

    #[test]
    fn names_become_names_of_files() {
        assert_eq!(file_name("shop-1_a"), "shop-1_a");
        assert_eq!(file_name("../a b"), "%2E%2E%2Fa%20b");
    }

    #[test]
    fn directories_are_listed_by_name_and_one_that_is_not_there_is_empty() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["b", "a"] {
            make_private_directory(&directory.path().join(name)).unwrap();
        }
        write_whole(&directory.path().join("file.json"), b"{}").unwrap();
        let names: Vec<_> = subdirectories(directory.path())
            .unwrap()
            .into_iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(subdirectories(&directory.path().join("c")).unwrap().len(), 0);
        assert_eq!(
            subdirectories(&directory.path().join("file.json"))
                .unwrap_err()
                .to_string()
                .split(' ')
                .next(),
            Some("cannot")
        );
    }

    #[test]
    fn a_system_is_described_by_its_own_files() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(os_release(root.path()), None);
        fs::create_dir_all(root.path().join("usr/lib")).unwrap();
        fs::create_dir(root.path().join("etc")).unwrap();
        fs::write(root.path().join("usr/lib/os-release"), "ID=debian\n").unwrap();
        // would be this machine's, if the link were followed
        std::os::unix::fs::symlink("/etc/hostname", root.path().join("etc/os-release")).unwrap();
        assert_eq!(os_release(root.path()).as_deref(), Some("ID=debian\n"));
        fs::remove_file(root.path().join("etc/os-release")).unwrap();
        fs::write(root.path().join("etc/os-release"), "ID=rocky\n").unwrap();
        assert_eq!(os_release(root.path()).as_deref(), Some("ID=rocky\n"));
    }
}

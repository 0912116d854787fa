//! The store: the files of installed plugins, in directories named by digest. Its content is
//! complete and never changes.
//!
//! A directory is written under a temporary name, synced to disk, and renamed; the files of a
//! loaded plugin are never modified. File locks coordinate processes: one process puts a digest
//! while others wait, and nothing is collected while a process installs.

mod collect;
mod roots;
#[cfg(test)]
mod tests;

use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

use super::artifact::Digest;

pub use collect::{CollectError, Collected};

/// The directory of installed plugins.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    partial: PathBuf,
}

/// An error of the store.
#[derive(Debug, Error)]
#[error("cannot {verb} {}: {error}{}", path.display(), hint(error))]
pub struct StoreError {
    verb: &'static str,
    path: PathBuf,
    error: io::Error,
}

/// Prevents collection until it is dropped.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "closing it gives the lock back")] File);

/// The exclusive right to put one digest into the store, across processes.
#[derive(Debug)]
pub struct Claim<'a> {
    store: &'a Store,
    digest: Digest,
    #[allow(dead_code, reason = "closing it gives the lock back")]
    file: File,
}

impl Store {
    /// The store in a user's data directory. Creates nothing yet.
    pub fn at(data: &Path) -> Self {
        Store { root: data.join("store"), partial: data.join("partial") }
    }

    /// The directory of a digest's files, whether it exists or not.
    pub fn directory(&self, digest: &Digest) -> PathBuf {
        self.root.join("sha256").join(digest.hex())
    }

    /// Whether a digest is installed. It is complete, unless somebody changed it afterwards.
    pub fn has(&self, digest: &Digest) -> bool {
        self.directory(digest).is_dir()
    }

    /// The cache of indexes and signatures: an OCI image layout without layers.
    pub fn seen(&self) -> PathBuf {
        self.root.join("seen")
    }

    /// Creates a temporary directory.
    pub(crate) fn temporary(&self) -> Result<TempDir, StoreError> {
        make_directory(&self.partial)?;
        tempfile::Builder::new()
            .prefix(".unpacked-")
            .tempdir_in(&self.partial)
            .map_err(failed("write", &self.partial))
    }

    /// Prevents collection. Waits for a running one.
    pub fn hold(&self) -> Result<Held, StoreError> {
        let file = self.lock_file("collect")?;
        file.lock_shared().map_err(failed("lock", &self.root))?;
        Ok(Held(file))
    }

    /// Claims the right to put a digest. If another process has it, calls `wait` and then waits for
    /// that process.
    pub fn claim(&self, digest: &Digest, wait: impl FnOnce()) -> Result<Claim<'_>, StoreError> {
        let file = self.lock_file(&digest.hex())?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                wait();
                file.lock().map_err(failed("lock", &self.root))?;
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &self.root)(error)),
        }
        Ok(Claim { store: self, digest: *digest, file })
    }

    fn lock_file(&self, name: &str) -> Result<File, StoreError> {
        let directory = self.root.join("locks");
        make_directory(&directory)?;
        let path = directory.join(name);
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed("write", &path))
    }
}

impl Claim<'_> {
    /// Where to download to. It may contain the part of an interrupted download.
    pub fn partial(&self) -> Result<PathBuf, StoreError> {
        make_directory(&self.store.partial)?;
        Ok(self.store.partial.join(self.digest.hex()))
    }

    /// Puts the files that `fill` writes into the store, atomically, in place of existing ones.
    pub fn put<E: From<StoreError>>(
        &self,
        fill: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let place = self.store.directory(&self.digest);
        let parent = self.store.root.join("sha256");
        make_directory(&parent)?;
        let prefix = format!(".new-{}-", self.digest.hex());
        self.remove_leftovers(&parent, &prefix)?;
        let new = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&parent)
            .map_err(failed("write", &parent))?;
        fill(new.path())?;
        seal(new.path()).map_err(failed("write", new.path()))?;
        // move a damaged one out of the way; processes that loaded it keep their file
        let old = parent.join(format!("{prefix}old"));
        if place.exists() {
            fs::rename(&place, &old).map_err(failed("replace", &place))?;
        }
        fs::rename(new.path(), &place).map_err(failed("write", &place))?;
        // renamed, so there is nothing to delete
        let _ = new.keep();
        File::open(&parent)
            .and_then(|directory| directory.sync_all())
            .map_err(failed("write", &parent))?;
        if old.exists() {
            remove(&old).map_err(failed("remove", &old))?;
        }
        let partial = self.store.partial.join(self.digest.hex());
        match fs::remove_file(&partial) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &partial)(error).into())
            }
            _ => Ok(place),
        }
    }

    /// Removes the remains of a process that was killed while it put the same digest.
    fn remove_leftovers(&self, parent: &Path, prefix: &str) -> Result<(), StoreError> {
        for entry in fs::read_dir(parent).map_err(failed("read", parent))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                remove(&entry.path()).map_err(failed("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}

/// Syncs a directory's content to disk and makes it read-only. Deepest first: a directory must be
/// writable until it is complete.
fn seal(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            seal(&path)?;
            continue;
        }
        let file = File::open(&path)?;
        file.set_permissions(Permissions::from_mode(0o444))?;
        file.sync_all()?;
    }
    let file = File::open(directory)?;
    file.set_permissions(Permissions::from_mode(0o555))?;
    file.sync_all()
}

/// Removes a read-only directory of the store.
fn remove(directory: &Path) -> io::Result<()> {
    fs::set_permissions(directory, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(directory)
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    // whatever the umask: nobody else may write to the store
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(failed("make", path))
}

fn failed(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError { verb, path, error }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull => "; `pallet-cli gc` removes plugins that no project uses",
        io::ErrorKind::PermissionDenied => "; it must belong to you",
        _ => "",
    }
}

//! The store: the files of installed plugins, in directories named by digest. What is in it is
//! whole, and never changes.
//!
//! A directory is made beside its place, made durable and renamed; a plugin that is loaded is never
//! written to. Locks of files keep processes apart: one puts a digest, others wait for it; nothing
//! is collected while anything is put.

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

/// Where installed plugins are.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
    partial: PathBuf,
}

/// A store that cannot be used.
#[derive(Debug, Error)]
#[error("cannot {verb} {}: {error}{}", path.display(), hint(error))]
pub struct StoreError {
    verb: &'static str,
    path: PathBuf,
    error: io::Error,
}

/// While it lives, nothing is collected.
#[derive(Debug)]
pub struct Held(#[allow(dead_code, reason = "closing it gives the lock back")] File);

/// The right to put one digest into the store, which one process has at a time.
#[derive(Debug)]
pub struct Claim<'a> {
    store: &'a Store,
    digest: Digest,
    #[allow(dead_code, reason = "closing it gives the lock back")]
    file: File,
}

impl Store {
    /// The store in a user's data directory. Nothing is made yet.
    pub fn at(data: &Path) -> Self {
        Store { root: data.join("store"), partial: data.join("partial") }
    }

    /// Where the files of a digest are, if they are there.
    pub fn directory(&self, digest: &Digest) -> PathBuf {
        self.root.join("sha256").join(digest.hex())
    }

    /// Whether a digest is there. It is whole then, unless somebody changed it since.
    pub fn has(&self, digest: &Digest) -> bool {
        self.directory(digest).is_dir()
    }

    /// Where indexes and signatures are kept that were seen, as an OCI image layout without layers.
    pub fn seen(&self) -> PathBuf {
        self.root.join("seen")
    }

    /// A directory for the time that it is needed.
    pub(crate) fn temporary(&self) -> Result<TempDir, StoreError> {
        make_directory(&self.partial)?;
        tempfile::Builder::new()
            .prefix(".unpacked-")
            .tempdir_in(&self.partial)
            .map_err(failed("write", &self.partial))
    }

    /// Keeps collection away. Waits while it is going on.
    pub fn hold(&self) -> Result<Held, StoreError> {
        let file = self.lock_file("collect")?;
        file.lock_shared().map_err(failed("lock", &self.root))?;
        Ok(Held(file))
    }

    /// The right to put a digest. Where another process has it, `wait` is told so, and its end
    /// waited for.
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
    /// Where to download to. What an interrupted download left is there.
    pub fn partial(&self) -> Result<PathBuf, StoreError> {
        make_directory(&self.store.partial)?;
        Ok(self.store.partial.join(self.digest.hex()))
    }

    /// Puts what `fill` makes into the store, whole or not at all, in place of what is there.
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
        // a damaged one makes way; who has loaded it keeps its file
        let old = parent.join(format!("{prefix}old"));
        if place.exists() {
            fs::rename(&place, &old).map_err(failed("replace", &place))?;
        }
        fs::rename(new.path(), &place).map_err(failed("write", &place))?;
        // it has moved on, so there is nothing to delete
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

    /// Removes what a process left behind that was killed at the same work.
    fn remove_leftovers(&self, parent: &Path, prefix: &str) -> Result<(), StoreError> {
        for entry in fs::read_dir(parent).map_err(failed("read", parent))?.flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                remove(&entry.path()).map_err(failed("remove", &entry.path()))?;
            }
        }
        Ok(())
    }
}

/// Makes everything in a directory durable and read-only. Deepest first: a directory must be
/// writable until it is full.
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

/// Removes a directory of the store, which is read-only.
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
    // whatever this process lets new directories be, others do not write into the store
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

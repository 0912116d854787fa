//! Removes everything from the store that no known lock names.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Store, StoreError, failed, remove};
use crate::distribution::lock::{Lock, LockError};

/// The result of a collection, or of its dry run.
#[derive(Debug, Default)]
pub struct Collected {
    /// The directories and interrupted downloads that were removed.
    pub removed: Vec<PathBuf>,
    /// Their size in bytes.
    pub bytes: u64,
    /// The number of plugins that stay.
    pub kept: usize,
    /// The known locks.
    pub locks: Vec<PathBuf>,
    /// Locks that no longer exist.
    pub forgotten: Vec<PathBuf>,
}

/// Why nothing was collected.
#[derive(Debug, Error)]
pub enum CollectError {
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A lock cannot be read, so it is unknown what it names.
    #[error("{0}; nothing was removed")]
    Lock(#[from] LockError),
}

impl Store {
    /// Removes everything that no known lock names, for any target, and the remains of interrupted
    /// downloads. With `dry_run`, only reports it. Waits for running installations. A lock that
    /// cannot be read is an error.
    pub fn collect(&self, dry_run: bool) -> Result<Collected, CollectError> {
        let mut collected = Collected::default();
        if !self.root.exists() && !self.partial.exists() {
            return Ok(collected);
        }
        let alone = self.lock_file("collect")?;
        alone.lock().map_err(failed("lock", &self.root))?;
        let mut named = BTreeSet::new();
        let mut gone = Vec::new();
        for (link, path) in self.roots()? {
            match Lock::read(&path)? {
                Some(lock) => {
                    named.extend(
                        lock.plugins()
                            .flat_map(|plugin| plugin.targets.values())
                            .map(|target| target.content.digest().hex()),
                    );
                    collected.locks.push(path);
                }
                None => {
                    gone.push(link);
                    collected.forgotten.push(path);
                }
            }
        }
        for (directory, keep) in [("sha256", true), ("locks", false)] {
            for path in entries(&self.root.join(directory))? {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                match (keep && named.contains(&name), directory) {
                    (true, _) => collected.kept += 1,
                    (false, "sha256") => collected.removed.push(path),
                    // nobody uses the other lock files now; keep the one that is held here
                    _ if name != "collect" && !dry_run => {
                        fs::remove_file(&path).map_err(failed("remove", &path))?
                    }
                    _ => {}
                }
            }
        }
        collected.removed.extend(entries(&self.partial)?);
        collected.removed.sort();
        collected.bytes = collected.removed.iter().map(|path| size(path)).sum();
        if dry_run {
            return Ok(collected);
        }
        for path in &collected.removed {
            let removed = if path.is_dir() { remove(path) } else { fs::remove_file(path) };
            removed.map_err(failed("remove", path))?;
        }
        for link in gone {
            fs::remove_file(&link).map_err(failed("remove", &link))?;
        }
        Ok(collected)
    }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(directory) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed("read", directory)(error)),
    }
}

/// The total size of all files at or below a path, in bytes.
fn size(path: &Path) -> u64 {
    match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| size(&entry.path()))
            .sum(),
        Ok(data) => data.len(),
        Err(_) => 0,
    }
}

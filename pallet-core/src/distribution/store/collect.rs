//! Removes from the store what no known lock names.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Store, StoreError, failed, remove};
use crate::distribution::lock::{Lock, LockError};

/// What was removed, or would be.
#[derive(Debug, Default)]
pub struct Collected {
    /// The directories and interrupted downloads.
    pub removed: Vec<PathBuf>,
    /// Their size in bytes.
    pub bytes: u64,
    /// How many plugins stay.
    pub kept: usize,
    /// The locks that count.
    pub locks: Vec<PathBuf>,
    /// Locks that are no more.
    pub forgotten: Vec<PathBuf>,
}

/// Why nothing is collected.
#[derive(Debug, Error)]
pub enum CollectError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A lock cannot be read, so nobody knows what it names.
    #[error("{0}; nothing was removed")]
    Lock(#[from] LockError),
}

impl Store {
    /// Removes what no known lock names, for whatever target, and what interrupted downloads left;
    /// with `dry_run`, only tells. Waits for installations to end. A lock that cannot be read stops
    /// it.
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
                    // nobody holds one now, but for the one that is held here
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

/// The size of all files at or below a path, in bytes.
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

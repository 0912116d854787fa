//! A lock, and its file.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::entry::LockedPlugin;
use crate::distribution::resolve::Package;
use crate::local::write_atomically;

/// The name of the file.
pub const LOCK_FILE: &str = "pallet.lock";

/// The version of the format that this Pallet writes.
pub(super) const FORMAT: u64 = 1;

/// All locked plugins, sorted by kind and name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    plugins: BTreeMap<Package, LockedPlugin>,
}

/// Why a lock cannot be used.
#[derive(Debug, Error)]
pub enum LockError {
    /// The file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {error}; it is unchanged", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The content is invalid.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl Lock {
    /// Reads a lock; `None` if the file does not exist.
    pub fn read(path: &Path) -> Result<Option<Self>, LockError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Lock::parse(&text)
                .map(Some)
                .map_err(|message| LockError::Content { path: path.to_owned(), message }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LockError::Read { path: path.to_owned(), error }),
        }
    }

    /// Writes the file atomically. Does nothing if the content is the same.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = self.to_string();
        if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        write_atomically(path, text.as_bytes())
            .map_err(|error| LockError::Write { path: path.to_owned(), error })
    }

    /// All plugins, sorted.
    pub fn plugins(&self) -> impl ExactSizeIterator<Item = &LockedPlugin> {
        self.plugins.values()
    }

    /// One plugin.
    pub fn get(&self, package: &Package) -> Option<&LockedPlugin> {
        self.plugins.get(package)
    }

    /// The plugins with a name: at most one of each kind.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a LockedPlugin> {
        self.plugins.values().filter(move |plugin| plugin.name == name)
    }

    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.plugins.is_empty()
    }

    /// Inserts a plugin, in place of another version.
    pub fn insert(&mut self, plugin: LockedPlugin) {
        self.plugins.insert(plugin.package(), plugin);
    }
}

//! The known locks: links to them, created when a lock is written or used.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Store, StoreError, failed, make_directory};
use crate::distribution::artifact::Digest;

impl Store {
    /// Remembers a lock, so that collection keeps what it names. The path must be absolute.
    pub fn remember(&self, lock: &Path) -> Result<(), StoreError> {
        let directory = self.root.join("roots");
        let link = directory.join(&Digest::of(lock.as_os_str().as_encoded_bytes()).hex()[..32]);
        if fs::read_link(&link).is_ok_and(|there| there == lock) {
            return Ok(());
        }
        make_directory(&directory)?;
        match symlink(lock, &link) {
            // another process was faster
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(failed("write", &link)(error))
            }
            _ => Ok(()),
        }
    }

    /// The links, each with the path of its lock.
    pub(super) fn roots(&self) -> Result<Vec<(PathBuf, PathBuf)>, StoreError> {
        let directory = self.root.join("roots");
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed("read", &directory)(error)),
        };
        let mut roots = Vec::new();
        for entry in entries {
            let link = entry.map_err(failed("read", &directory))?.path();
            let lock = fs::read_link(&link).map_err(failed("read", &link))?;
            roots.push((link, lock));
        }
        roots.sort_by(|a, b| a.1.cmp(&b.1));
        Ok(roots)
    }
}

//! Locks between processes, for providers that keep nodes on this machine.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::error::PluginError;
use super::files;

/// How long to wait for other processes.
const PATIENCE: Duration = Duration::from_secs(300);

/// The exclusive right to change a directory. Dropping it releases the lock.
#[derive(Debug)]
pub struct DirectoryLock {
    _directory: File,
}

impl DirectoryLock {
    /// Takes the lock if no other process has it. Creates the directory if it is missing.
    pub fn try_take(directory: &Path) -> Result<Option<Self>> {
        files::make_private_directory(directory)?;
        let Some(file) = try_lock(directory)? else { return Ok(None) };
        // the previous holder may have removed the directory together with its lock
        let held = file.metadata()?;
        let same = fs::metadata(directory)
            .is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino()));
        Ok(same.then_some(DirectoryLock { _directory: file }))
    }
}

/// Locks an existing file or directory; `None` if another process has the lock, or if it does not
/// exist.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// Waits up to 5 min for a lock that `try_take` takes.
pub fn wait_for_lock<L>(
    provider: &str,
    mut try_take: impl FnMut() -> Result<Option<L>>,
) -> Result<L> {
    let start = Instant::now();
    loop {
        if let Some(lock) = try_take()? {
            return Ok(lock);
        }
        if start.elapsed() > PATIENCE {
            let message = format!(
                "another pallet-cli has been changing nodes of provider {provider} for five minutes"
            );
            return Err(PluginError::transient(message).with_help("wait for it, or end it").into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_the_lock_and_a_removed_directory_is_made_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let held = DirectoryLock::try_take(&path).unwrap().unwrap();
        assert!(DirectoryLock::try_take(&path).unwrap().is_none());
        fs::remove_dir(&path).unwrap();
        drop(held);
        let _again = wait_for_lock("test", || DirectoryLock::try_take(&path)).unwrap();
        assert!(path.is_dir());
    }

    #[test]
    fn a_missing_file_cannot_be_locked() {
        let parent = tempfile::tempdir().unwrap();
        assert!(try_lock(&parent.path().join("none")).unwrap().is_none());
    }
}

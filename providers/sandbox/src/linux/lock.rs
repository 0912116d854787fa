//! Locks between processes: only one at a time changes nodes.

use std::fs::File;
use std::path::Path;

use pallet_core::prelude::*;

/// The lock on nodes, their network and their stored state; released when dropped.
pub(crate) struct Lock {
    _data: Option<DirectoryLock>,
    _network: File,
}

impl Lock {
    /// Waits for the lock.
    pub(crate) fn take(data_directory: &Path) -> Result<Lock> {
        wait_for_lock("sandbox", || Lock::try_take(Some(data_directory)))
    }

    /// Waits for the lock on the network only.
    pub(crate) fn of_network() -> Result<Lock> {
        wait_for_lock("sandbox", || Lock::try_take(None))
    }

    fn try_take(data_directory: Option<&Path>) -> Result<Option<Lock>> {
        let data = match data_directory {
            Some(directory) => match DirectoryLock::try_take(directory)? {
                Some(data) => Some(data),
                None => return Ok(None),
            },
            None => None,
        };
        // all data directories share the network: its lock is on the network namespace, which
        // leaves no file behind
        let Some(network) = try_lock(Path::new("/proc/self/ns/net"))? else { return Ok(None) };
        Ok(Some(Lock { _data: data, _network: network }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_a_removed_directory_is_made_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let held = DirectoryLock::try_take(&path).unwrap().unwrap();
        assert!(DirectoryLock::try_take(&path).unwrap().is_none());
        assert!(Lock::try_take(Some(&path)).unwrap().is_none());
        std::fs::remove_dir(&path).unwrap();
        drop(held);
        let _again = Lock::take(&path).unwrap();
        assert!(path.is_dir());
    }
}

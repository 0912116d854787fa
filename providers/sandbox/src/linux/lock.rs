//! Locks between processes: one that changes nodes at a time.

use std::fs::File;
use std::path::Path;

use pallet_core::prelude::*;

/// The right to change nodes, networks and what is kept of them; given back when dropped.
pub(crate) struct Lock {
    _data: Option<DirectoryLock>,
    _network: File,
}

impl Lock {
    /// Waits for its turn.
    pub(crate) fn take(data_directory: &Path) -> Result<Lock> {
        wait_for_lock("sandbox", || Lock::try_take(Some(data_directory)))
    }

    /// Waits for its turn at the network alone.
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
        // the network belongs to all data directories: the lock on it is the namespace itself,
        // which leaves no file behind
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

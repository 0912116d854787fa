//! Locks between processes: one that changes nodes at a time.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use pallet_core::prelude::*;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

/// How long to wait for others before giving up.
const PATIENCE: Duration = Duration::from_secs(300);

/// The right to change nodes, networks and what is kept of them; given back when dropped.
pub(crate) struct Lock {
    _data: Option<DataLock>,
    _network: File,
}

/// The right to change what is kept in a data directory.
pub(crate) struct DataLock {
    _directory: File,
}

impl Lock {
    /// Waits for its turn.
    pub(crate) fn take(data_directory: &Path) -> Result<Lock> {
        Lock::wait(Some(data_directory))
    }

    /// Waits for its turn at the network alone.
    pub(crate) fn of_network() -> Result<Lock> {
        Lock::wait(None)
    }

    fn wait(data_directory: Option<&Path>) -> Result<Lock> {
        let start = Instant::now();
        loop {
            if let Some(lock) = Lock::try_take(data_directory)? {
                return Ok(lock);
            }
            if start.elapsed() > PATIENCE {
                let message = "another pallet-cli has been changing nodes of provider sandbox for \
                    five minutes";
                return Err(PluginError::new(ErrorKind::Transient, message)
                    .with_help(
                        "wait for it, \
                    or end it",
                    )
                    .into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn try_take(data_directory: Option<&Path>) -> Result<Option<Lock>> {
        let data = match data_directory {
            Some(directory) => match DataLock::try_take(directory)? {
                Some(data) => Some(data),
                None => return Ok(None),
            },
            None => None,
        };
        // the network belongs to all data directories: the lock on it is the namespace itself,
        // which leaves no file behind
        let Some(network) = lock(Path::new("/proc/self/ns/net"))? else { return Ok(None) };
        Ok(Some(Lock { _data: data, _network: network }))
    }
}

impl DataLock {
    /// Takes it if nobody has it.
    pub(crate) fn try_take(data_directory: &Path) -> Result<Option<DataLock>> {
        files::make_private_directory(data_directory)?;
        let Some(data) = lock(data_directory)? else { return Ok(None) };
        // whoever had it before may have removed the directory with it
        let held = data.metadata()?;
        let same = fs::metadata(data_directory)
            .is_ok_and(|now| (now.dev(), now.ino()) == (held.dev(), held.ino()));
        Ok(same.then_some(DataLock { _directory: data }))
    }
}

fn lock(path: &Path) -> Result<Option<File>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot open {}", path.display())),
    };
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_a_removed_directory_is_made_again() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let held = DataLock::try_take(&path).unwrap().unwrap();
        assert!(DataLock::try_take(&path).unwrap().is_none());
        assert!(Lock::try_take(Some(&path)).unwrap().is_none());
        fs::remove_dir(&path).unwrap();
        drop(held);
        let _again = Lock::take(&path).unwrap();
        assert!(path.is_dir());
    }
}

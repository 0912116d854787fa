//! Caches what was parsed from files, until the files change. With 1,000 nodes and 1,000 lines,
//! reading a file again for each node would cost more than the connections.

use std::collections::HashMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::super::TransportError;

/// Parsed files, until they change.
#[derive(Debug)]
pub(super) struct FileCache<T>(Mutex<HashMap<PathBuf, (Stamp, Arc<T>)>>);

/// Identifies a version of a file: inode, size, and modification time in seconds and nanoseconds.
type Stamp = (u64, u64, i64, i64);

impl<T> FileCache<T> {
    /// Returns the text of a file as parsed by `make`; `None` if the file does not exist.
    pub(super) fn get(
        &self,
        path: &Path,
        make: impl FnOnce(&str) -> T,
    ) -> Result<Option<Arc<T>>, TransportError> {
        let failed = |error: io::Error| TransportError::Input {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let stamp = match fs::metadata(path) {
            Ok(found) => (found.ino(), found.size(), found.mtime(), found.mtime_nsec()),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        // The lock is held while a file is read, so that no two tasks read the same file.
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read, made)) = files.get(path)
            && *read == stamp
        {
            return Ok(Some(made.clone()));
        }
        let made = Arc::new(make(&String::from_utf8_lossy(&fs::read(path).map_err(failed)?)));
        files.insert(path.to_owned(), (stamp, made.clone()));
        Ok(Some(made))
    }
}

impl<T> Default for FileCache<T> {
    fn default() -> Self {
        FileCache(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::FileCache;

    #[test]
    fn a_file_is_read_again_only_when_it_has_changed() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("file");
        let files: FileCache<usize> = FileCache::default();
        let mut read = 0;
        let mut get = || {
            files.get(&path, |text| {
                read += 1;
                text.len() + read * 100
            })
        };
        assert_eq!(get().expect("no matter"), None);
        fs::write(&path, "four").expect("written");
        assert_eq!(get().expect("readable").as_deref(), Some(&104));
        assert_eq!(get().expect("readable").as_deref(), Some(&104));
        fs::write(&path, "fifteen").expect("written");
        assert_eq!(get().expect("readable").as_deref(), Some(&207));
        fs::remove_file(&path).expect("removed");
        assert_eq!(get().expect("no matter"), None);
        assert!(files.get(dir.path(), |text| text.len()).is_err());
    }
}

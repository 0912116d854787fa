//! Temporary files and directories: new content is first written next to its destination, under a
//! unique name, and is removed if the writer ends.
//!
//! Each is locked while its writer lives. A writer that was killed leaves its entry without a lock,
//! and the next one that uses the directory removes it.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, mkdirat, openat, renameat,
    statat, unlinkat,
};
use rustix::io::Errno;

use super::walk::{Walk, entries, open, open_in};

/// The prefix of the names; 16 hexadecimal digits follow.
const PREFIX: &str = ".pallet-";

/// A temporary entry next to its destination.
pub(crate) struct Beside {
    parent: OwnedFd,
    name: String,
    entry: OwnedFd,
}

impl Beside {
    /// Creates an empty file in a directory. Only its owner can read it.
    pub(crate) fn file(parent: &OwnedFd) -> io::Result<(Self, File)> {
        let made = Beside::make(parent, |parent, name| {
            let flags =
                OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            Ok(openat(parent, name, flags, Mode::from_raw_mode(0o600))?)
        })?;
        let file = File::from(made.entry.try_clone()?);
        Ok((made, file))
    }

    /// Creates an empty directory in another one. Only its owner can enter it.
    pub(crate) fn directory(parent: &OwnedFd) -> io::Result<Self> {
        Beside::make(parent, |parent, name| {
            mkdirat(parent, name, Mode::from_raw_mode(0o700))?;
            open_in(parent, OsStr::new(name))
        })
    }

    fn make(
        parent: &OwnedFd,
        make: impl Fn(BorrowedFd<'_>, &str) -> io::Result<OwnedFd>,
    ) -> io::Result<Self> {
        loop {
            let name = format!("{PREFIX}{:016x}", getrandom::u64()?);
            let entry = match make(parent.as_fd(), &name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                entry => entry?,
            };
            let parent = parent.try_clone()?;
            let locked = lock(&entry)?;
            let made = Beside { parent, name, entry };
            // another process may have taken the entry for abandoned before it was locked
            if !locked {
                continue;
            }
            match statat(&made.parent, made.name.as_str(), AtFlags::SYMLINK_NOFOLLOW) {
                Ok(_) => return Ok(made),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The handle of the entry.
    pub(crate) fn entry(&self) -> BorrowedFd<'_> {
        self.entry.as_fd()
    }

    /// Renames the entry to `name`. Replaces what has that name, without following a link.
    pub(crate) fn persist(self, name: &OsStr) -> io::Result<()> {
        // the drop then finds nothing under the temporary name
        Ok(renameat(&self.parent, self.name.as_str(), &self.parent, name)?)
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = remove(self.parent.as_fd(), OsStr::new(&self.name));
    }
}

/// Takes the lock of an entry; false if another process has it. If the file system has no locks, no
/// entry ever counts as abandoned.
fn lock(entry: &OwnedFd) -> io::Result<bool> {
    match flock(entry, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOLCK | Errno::NOSYS) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Removes entries that a killed Pallet left in a directory: entries with such a name that belong
/// to this user and are not locked.
pub(crate) fn remove_dead(directory: &Path) {
    let Ok(parent) = open(directory) else { return };
    let Ok(found) = entries(&parent) else { return };
    for (name, _) in found {
        if !is_ours(&name) {
            continue;
        }
        if let Some(_locked) = dead(&parent, &name) {
            let _ = remove(parent.as_fd(), &name);
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    digits.is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Locks an entry if it is abandoned. Nobody else uses it while the returned handle is open.
fn dead(parent: &OwnedFd, name: &OsStr) -> Option<OwnedFd> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let entry = openat(parent, name, flags, Mode::empty()).ok()?;
    let found = fstat(&entry).ok()?;
    let plain = matches!(
        FileType::from_raw_mode(found.st_mode),
        FileType::RegularFile | FileType::Directory
    );
    let own = found.st_uid == rustix::process::geteuid().as_raw();
    (plain && own && flock(&entry, FlockOperation::NonBlockingLockExclusive).is_ok())
        .then_some(entry)
}

/// Removes an entry with its content, by handles: links in it never lead outside.
fn remove(parent: BorrowedFd<'_>, name: &OsStr) -> io::Result<()> {
    match unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    let mut walk = Walk::from(open_in(parent, name)?);
    let mut open = vec![entries(walk.here())?];
    while let Some(here) = open.last_mut() {
        match here.pop() {
            Some((name, true)) => {
                walk.enter(&name)?;
                open.push(entries(walk.here())?);
            }
            Some((name, false)) => unlinkat(walk.here(), &name, AtFlags::empty())?,
            None => {
                open.pop();
                if !open.is_empty() {
                    let name = walk.leave()?;
                    unlinkat(walk.here(), &name, AtFlags::REMOVEDIR)?;
                }
            }
        }
    }
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn it_goes_away_with_all_that_is_in_it_and_nothing_else() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("kept"), "").unwrap();
        let parent = open(root.path()).unwrap();
        let beside = Beside::directory(&parent).unwrap();
        let inside = root.path().join(&beside.name);
        std::fs::create_dir_all(inside.join("a/b")).unwrap();
        std::fs::write(inside.join("a/b/file"), "").unwrap();
        symlink(outside.path(), inside.join("a/link")).unwrap();
        drop(beside);
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
        assert!(outside.path().join("kept").exists());
    }

    #[test]
    fn fault_25_what_a_killed_process_left_is_removed_and_what_a_running_one_writes_is_not() {
        let root = tempfile::tempdir().unwrap();
        let parent = open(root.path()).unwrap();
        let (running, _file) = Beside::file(&parent).unwrap();
        std::fs::create_dir_all(root.path().join(".pallet-0123456789abcdef/d")).unwrap();
        std::fs::write(root.path().join(".pallet-fedcba9876543210"), "half").unwrap();
        for kept in [".pallet-mine", ".pallet", ".pallet-0123456789abcdefg"] {
            std::fs::write(root.path().join(kept), "").unwrap();
        }
        remove_dead(root.path());
        let left = std::fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.map(|name| name.into_string().unwrap()).collect();
        left.sort();
        let mut wanted = vec![
            ".pallet".to_owned(),
            ".pallet-0123456789abcdefg".to_owned(),
            ".pallet-mine".to_owned(),
            running.name.clone(),
        ];
        wanted.sort();
        assert_eq!(left, wanted);
    }
}

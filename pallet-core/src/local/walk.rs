//! Directories on this machine, by handles. Anything that a node sends is written only through
//! these, so no link in it, or on the way to it, is ever followed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat};
use rustix::io::Errno;

/// Opens a directory at a path that the user wrote. Links in the path are followed.
pub(crate) fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Opens a directory in another one. Links are not followed.
pub(crate) fn open_in(directory: impl AsFd, name: &OsStr) -> io::Result<OwnedFd> {
    match openat(
        directory,
        name,
        OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    ) {
        Ok(found) => Ok(found),
        Err(Errno::LOOP | Errno::NOTDIR) => Err(no_directory()),
        Err(error) => Err(error.into()),
    }
}

fn no_directory() -> io::Error {
    io::Error::new(io::ErrorKind::NotADirectory, "it is a link, or no directory")
}

/// The type of an entry; links are not followed.
pub(crate) fn kind(directory: impl AsFd, name: &OsStr) -> io::Result<Option<FileType>> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(FileType::from_raw_mode(found.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The names in a directory, each with whether it is a directory.
pub(crate) fn entries(directory: impl AsFd) -> io::Result<Vec<(OsString, bool)>> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = Vec::new();
    for entry in Dir::read_from(directory.as_fd())? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name == "." || name == ".." {
            continue;
        }
        let is_directory = match entry.file_type() {
            FileType::Unknown => kind(directory.as_fd(), name)? == Some(FileType::Directory),
            known => known == FileType::Directory,
        };
        found.push((name.to_owned(), is_directory));
    }
    Ok(found)
}

/// A position in a tree of directories. It holds one handle, however deep the position is.
pub(crate) struct Walk {
    here: OwnedFd,
    names: Vec<OsString>,
    /// The directory that each name was entered from.
    above: Vec<(u64, u64)>,
}

impl Walk {
    pub(crate) fn from(top: OwnedFd) -> Self {
        Walk { here: top, names: Vec::new(), above: Vec::new() }
    }

    /// The current directory.
    pub(crate) fn here(&self) -> BorrowedFd<'_> {
        self.here.as_fd()
    }

    /// The path from the top to the current directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.names.iter().collect()
    }

    /// Enters a subdirectory.
    pub(crate) fn enter(&mut self, name: &OsStr) -> io::Result<()> {
        let next = open_in(&self.here, name)?;
        self.above.push(identity(&fstat(&self.here)?));
        self.names.push(name.to_owned());
        self.here = next;
        Ok(())
    }

    /// Returns to the parent directory. Returns the name of the directory that was left.
    pub(crate) fn leave(&mut self) -> io::Result<OsString> {
        let (Some(name), Some(above)) = (self.names.pop(), self.above.pop()) else {
            return Err(io::Error::other("there is no directory above"));
        };
        let found = open_in(&self.here, OsStr::new(".."))?;
        if identity(&fstat(&found)?) != above {
            return Err(io::Error::other(format!("{} was moved meanwhile", name.display())));
        }
        self.here = found;
        Ok(name)
    }

    /// Goes to a directory, by its path from the top. Missing directories are created if `make` is
    /// true; otherwise they are an error.
    pub(crate) fn go_to(&mut self, names: &[&OsStr], make: bool) -> io::Result<()> {
        let common = self.names.iter().zip(names).take_while(|(own, other)| own == *other).count();
        while self.names.len() > common {
            self.leave()?;
        }
        for name in &names[common..] {
            if make {
                match mkdirat(&self.here, *name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            self.enter(name)?;
        }
        Ok(())
    }
}

// their types differ between systems
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
fn identity(found: &Stat) -> (u64, u64) {
    (found.st_dev as u64, found.st_ino as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn names(path: &str) -> Vec<&OsStr> {
        path.split('/').map(OsStr::new).collect()
    }

    #[test]
    fn it_finds_its_way_and_follows_no_link() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let mut walk = Walk::from(open(root.path()).unwrap());
        walk.go_to(&names("a/b/c"), true).unwrap();
        walk.go_to(&names("a/d"), true).unwrap();
        assert_eq!(walk.path(), Path::new("a/d"));
        assert!(root.path().join("a/b/c").is_dir() && root.path().join("a/d").is_dir());
        assert_eq!(walk.go_to(&names("a/x/y"), false).unwrap_err().kind(), io::ErrorKind::NotFound);
        symlink(outside.path(), root.path().join("a/link")).unwrap();
        assert_eq!(
            walk.go_to(&names("a/link/y"), true).unwrap_err().kind(),
            io::ErrorKind::NotADirectory
        );
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_directory_that_is_moved_away_is_not_left_for_another_one() {
        let root = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let mut walk = Walk::from(open(root.path()).unwrap());
        walk.go_to(&names("a/b"), true).unwrap();
        std::fs::rename(root.path().join("a/b"), elsewhere.path().join("b")).unwrap();
        assert!(walk.leave().unwrap_err().to_string().contains("moved meanwhile"));
    }
}

//! Directories of this machine by their handles. What a node sends is written by these alone, so no
//! link in it, or in its way, is ever followed.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, mkdirat, openat, statat};
use rustix::io::Errno;

/// The directory at a path that the user wrote; links in that are followed.
pub(crate) fn open(path: &Path) -> io::Result<OwnedFd> {
    Ok(openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// The directory of this name in another one, which no link is followed to.
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

/// What stands there under this name; links are not followed.
pub(crate) fn kind(directory: impl AsFd, name: &OsStr) -> io::Result<Option<FileType>> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(found) => Ok(Some(FileType::from_raw_mode(found.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The names in a directory, and which of them are directories.
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

/// A place in a tree of directories, which moves from one to the next. It holds one handle, however
/// deep it is.
pub(crate) struct Walk {
    here: OwnedFd,
    names: Vec<OsString>,
    /// Which directory each name was entered from.
    above: Vec<(u64, u64)>,
}

impl Walk {
    pub(crate) fn from(top: OwnedFd) -> Self {
        Walk { here: top, names: Vec::new(), above: Vec::new() }
    }

    /// The directory that it is at.
    pub(crate) fn here(&self) -> BorrowedFd<'_> {
        self.here.as_fd()
    }

    /// How it came there from the top.
    pub(crate) fn path(&self) -> PathBuf {
        self.names.iter().collect()
    }

    /// Enters a directory in this one.
    pub(crate) fn enter(&mut self, name: &OsStr) -> io::Result<()> {
        let next = open_in(&self.here, name)?;
        self.above.push(identity(&fstat(&self.here)?));
        self.names.push(name.to_owned());
        self.here = next;
        Ok(())
    }

    /// Goes back to the directory that this one was entered from, and gives the name of this one.
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

    /// Goes to a directory of the tree, by its names from the top; what is missing of it is made,
    /// or is an error.
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

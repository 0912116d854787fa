//! Where downloads go on this machine. The user chooses the target; below it, no symlink is
//! followed.

use std::collections::{BTreeSet, HashSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, openat, renameat};

use super::unpack::{TOP, Unpacked};
use crate::local::{Walk, entries, kind, open, open_in, set_mode};

/// The destination of one download.
pub(super) struct Spot {
    /// The directory that will contain it.
    pub(super) parent: OwnedFd,
    /// Its name in that directory.
    pub(super) name: OsString,
    /// The full path, for messages.
    pub(super) path: PathBuf,
}

/// The destination of something named `name`: inside `target` if that is a directory. With `own`,
/// the directory was created by Pallet and must not be a symlink. The error is one line.
pub(super) fn place(target: &Path, name: &str, many: bool, own: bool) -> Result<Spot, String> {
    let ends_with_slash = target.as_os_str().as_encoded_bytes().ends_with(b"/");
    if target.is_dir() {
        return spot(target, OsStr::new(name), own);
    }
    if ends_with_slash {
        return Err(format!("there is no directory {}", target.display()));
    }
    if many {
        return Err(format!(
            "several sources need a directory, and there is none at {}",
            target.display()
        ));
    }
    let parent = parent(target);
    match (parent.is_dir(), target.file_name()) {
        (true, Some(name)) => spot(parent, name, false),
        _ => Err(format!("there is no directory {}", parent.display())),
    }
}

fn spot(parent: &Path, name: &OsStr, own: bool) -> Result<Spot, String> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let handle = match own {
        true => {
            openat(CWD, parent, flags | OFlags::NOFOLLOW, Mode::empty()).map_err(io::Error::from)
        }
        false => open(parent),
    };
    let handle = handle
        .map_err(|error| format!("cannot open the directory {}: {error}", parent.display()))?;
    let path = if parent == Path::new(".") { PathBuf::from(name) } else { parent.join(name) };
    Ok(Spot { parent: handle, name: name.to_owned(), path })
}

/// The directory that contains a path.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

impl Spot {
    /// Checks whether a file or a directory can be written here. The error is one line.
    pub(super) fn check(&self, directory: bool) -> Result<(), String> {
        let path = self.path.display();
        let found = kind(&self.parent, &self.name)
            .map_err(|error| format!("cannot write {path}: {error}"))?;
        match (directory, found) {
            (true, Some(FileType::Symlink)) => Err(is_a_link(&self.path)),
            (true, Some(found)) if found != FileType::Directory => {
                Err(format!("{path} exists and is not a directory"))
            }
            (false, Some(FileType::Directory)) => Err(format!("{path} is a directory")),
            _ => Ok(()),
        }
    }

    /// Moves a directory into its place. If one exists there, its files are replaced one by one.
    /// Everything is checked before anything moves.
    pub(super) fn put(&self, unpacked: &Unpacked) -> io::Result<()> {
        self.check(true).map_err(io::Error::other)?;
        let from = unpacked.beside.entry();
        let mut moved = BTreeSet::new();
        if kind(&self.parent, &self.name)?.is_none() {
            renameat(from, TOP, &self.parent, &self.name)?;
            moved.insert(PathBuf::new());
        } else {
            self.merge(from, None)?;
            self.merge(from, Some(&mut moved))?;
        }
        let mut walk = Walk::from(open_in(&self.parent, &self.name)?);
        // innermost first: nothing inside a directory can be reached once its mode denies access
        let mut done = HashSet::new();
        for (path, mode) in unpacked.modes.iter().rev() {
            let root = moved.range::<PathBuf, _>(..=path).next_back();
            if root.is_some_and(|root| path.starts_with(root)) && done.insert(path) {
                walk.go_to(&path.iter().collect::<Vec<_>>(), false)?;
                let here = walk.here().try_clone_to_owned()?;
                if !path.as_os_str().is_empty() {
                    walk.leave()?;
                }
                set_mode(here, *mode)?;
            }
        }
        Ok(())
    }

    /// Moves new entries, and adds to `moved` each directory that was moved as a whole. Without
    /// `moved`, it only checks whether everything can be moved.
    fn merge(
        &self,
        from: BorrowedFd<'_>,
        mut moved: Option<&mut BTreeSet<PathBuf>>,
    ) -> io::Result<()> {
        let mut from = Walk::from(open_in(from, OsStr::new(TOP))?);
        let mut to = Walk::from(open_in(&self.parent, &self.name)?);
        let mut open = vec![entries(from.here())?];
        while let Some(here) = open.last_mut() {
            let Some((name, directory)) = here.pop() else {
                open.pop();
                if !open.is_empty() {
                    from.leave()?;
                    to.leave()?;
                }
                continue;
            };
            let path = || to.path().join(&name);
            match (directory, kind(to.here(), &name)?) {
                (true, Some(FileType::Directory)) => {
                    from.enter(&name)?;
                    to.enter(&name)?;
                    open.push(entries(from.here())?);
                }
                (true, Some(FileType::Symlink)) => {
                    return Err(io::Error::other(is_a_link(&self.path.join(path()))));
                }
                (true, Some(_)) => {
                    return Err(io::Error::other(format!(
                        "{} exists and is not a directory",
                        path().display()
                    )));
                }
                (false, Some(FileType::Directory)) => {
                    return Err(io::Error::other(format!("{} is a directory", path().display())));
                }
                _ => {
                    if let Some(moved) = moved.as_deref_mut() {
                        renameat(from.here(), &name, to.here(), &name)?;
                        if directory {
                            moved.insert(path());
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

fn is_a_link(path: &Path) -> String {
    format!(
        "{} is a link where a directory should go, and links are not followed here; name the \
         directory that it leads to as the target, or remove it",
        path.display()
    )
}

/// Creates the directory of one node in `target`, if it is missing.
pub(super) fn own_directory(target: &Path, node: &str) -> io::Result<PathBuf> {
    std::fs::create_dir_all(target)?;
    let handle = open(target)?;
    match rustix::fs::mkdirat(handle.as_fd(), node, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    open_in(&handle, OsStr::new(node))?;
    Ok(target.join(node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::Beside;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    /// An unpacked directory that contains `a/b/file`; `a` and `a/b` have this mode.
    fn unpacked(root: &Path, mode: u32) -> Unpacked {
        let beside = Beside::directory(&open(root).unwrap()).unwrap();
        let found = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
        let own = found
            .into_iter()
            .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(".pallet-"))
            .unwrap();
        fs::create_dir_all(own.join("d/a/b")).unwrap();
        fs::write(own.join("d/a/b/file"), "new").unwrap();
        let modes = ["", "a", "a/b"].into_iter().map(|path| (PathBuf::from(path), mode)).collect();
        Unpacked { beside, modes, files: 1, bytes: 3 }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn new_directories_get_their_modes_and_old_ones_keep_theirs() {
        let root = tempfile::tempdir().unwrap();
        let put = |name: &str, mode| {
            let spot = place(root.path(), name, false, false).unwrap();
            spot.put(&unpacked(root.path(), mode))
        };
        put("x", 0o500).unwrap();
        assert_eq!(
            [
                mode(&root.path().join("x")),
                mode(&root.path().join("x/a")),
                mode(&root.path().join("x/a/b"))
            ],
            [0o500; 3]
        );
        fs::create_dir_all(root.path().join("y/a")).unwrap();
        fs::set_permissions(root.path().join("y/a"), fs::Permissions::from_mode(0o711)).unwrap();
        put("y", 0o750).unwrap();
        assert_eq!(
            [mode(&root.path().join("y/a")), mode(&root.path().join("y/a/b"))],
            [0o711, 0o750]
        );
        assert_eq!(fs::read_to_string(root.path().join("y/a/b/file")).unwrap(), "new");
        fs::write(root.path().join("y/a/b/file"), "old").unwrap();
        put("y", 0o777).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("y/a/b/file")).unwrap(), "new");
        assert_eq!(mode(&root.path().join("y/a/b")), 0o750);
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
    }

    #[test]
    fn no_link_in_the_destination_is_followed() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::create_dir(outside.path().join("b")).unwrap();
        let untouched = || {
            assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
            assert_eq!(fs::read_dir(outside.path().join("b")).unwrap().count(), 0);
        };
        // the directory itself, one in it, and one in that
        for planted in ["x", "x/a", "x/a/b"] {
            let _ = fs::remove_dir_all(root.path().join("x"));
            fs::create_dir_all(root.path().join(planted).parent().unwrap()).unwrap();
            symlink(outside.path(), root.path().join(planted)).unwrap();
            let spot = place(root.path(), "x", false, false).unwrap();
            let error = spot.put(&unpacked(root.path(), 0o755)).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{planted} is a link where a directory should go")),
                "{planted}: {error}"
            );
            untouched();
            fs::remove_file(root.path().join(planted)).unwrap();
        }
        // a symlink in the place of a file is replaced
        fs::create_dir_all(root.path().join("x/a/b")).unwrap();
        symlink("/etc/passwd", root.path().join("x/a/b/file")).unwrap();
        place(root.path(), "x", false, false).unwrap().put(&unpacked(root.path(), 0o755)).unwrap();
        assert!(fs::symlink_metadata(root.path().join("x/a/b/file")).unwrap().is_file());
        // the directory of a node
        symlink(outside.path(), root.path().join("node1")).unwrap();
        assert!(own_directory(root.path(), "node1").is_err());
        assert!(place(&root.path().join("node1"), "x", false, true).is_err());
        own_directory(root.path(), "node2").unwrap();
        own_directory(root.path(), "node2").unwrap();
        // a symlink that the user names is followed
        assert!(place(&root.path().join("node1"), "x", false, false).is_ok());
    }

    #[test]
    fn nothing_moves_where_not_everything_can() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("x/a/b/file")).unwrap();
        fs::write(root.path().join("x/z"), "").unwrap();
        let new = unpacked(root.path(), 0o755);
        let spot = place(root.path(), "x", false, false).unwrap();
        assert!(spot.put(&new).unwrap_err().to_string().contains("a/b/file is a directory"));
        drop(new);
        assert_eq!(fs::read_dir(root.path().join("x")).unwrap().count(), 2);
    }
}

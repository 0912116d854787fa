//! Unpacks an archive from a node. Nothing in it is trusted: everything is written through
//! directory handles, below a new private directory.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::Receiver;

use rustix::fs::{
    AtFlags, Mode, OFlags, Timespec, Timestamps, futimens, linkat, mkdirat, openat, symlinkat,
    unlinkat,
};
use rustix::io::Errno;
use tar::EntryType;

use crate::local::{Beside, Bounded, Walk, open_in, set_mode};

/// The name of the directory until it is moved into its place.
pub(super) const TOP: &str = "d";
/// An unpacked archive.
pub(super) struct Unpacked {
    /// The private directory that contains it as `TOP`.
    pub(super) beside: Beside,
    /// The final modes of its directories, in the order of the archive. They are set after the
    /// move; until then this user may write in all of them.
    pub(super) modes: Vec<(PathBuf, u32)>,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Unpacks an archive: files, directories and links. An entry that would lead out of the directory
/// is an error.
pub(super) fn unpack(arriving: Receiver<Vec<u8>>, beside: Beside) -> io::Result<Unpacked> {
    mkdirat(beside.entry(), TOP, Mode::from_raw_mode(0o755))?;
    let top = || open_in(beside.entry(), OsStr::new(TOP));
    let mut unpacking = Unpacking {
        at: Walk::from(top()?),
        linked: Walk::from(top()?),
        modes: Vec::new(),
        files: 0,
        bytes: 0,
    };
    let (reader, bound) = Bounded::new(Pieces { arriving, piece: Vec::new(), read: 0 });
    let mut archive = tar::Archive::new(reader);
    let mut entries = archive.entries()?;
    loop {
        bound.between();
        let Some(entry) = entries.next() else { break };
        let mut entry = entry?;
        bound.content();
        let path = PathBuf::from(OsStr::from_bytes(&entry.path_bytes()));
        unpacking.entry(&mut entry, &path).map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => out(&path),
            io::ErrorKind::StorageFull => error,
            _ => io::Error::other(format!("{}: {error}", path.display())),
        })?;
    }
    let Unpacking { modes, files, bytes, .. } = unpacking;
    Ok(Unpacked { beside, modes, files, bytes })
}

struct Unpacking {
    at: Walk,
    /// The walk to the targets of hard links.
    linked: Walk,
    modes: Vec<(PathBuf, u32)>,
    files: u64,
    bytes: u64,
}

impl Unpacking {
    fn entry(&mut self, entry: &mut tar::Entry<'_, impl Read>, path: &Path) -> io::Result<()> {
        let (kind, mode) = (entry.header().entry_type(), entry.header().mode()? & 0o777);
        let names = inside(path)?;
        if kind.is_dir() {
            self.at.go_to(&names, true)?;
            self.modes.push((names.iter().collect(), mode));
            return Ok(());
        }
        let Some((name, parent)) = names.split_last() else {
            return Err(io::Error::other("it has no name"));
        };
        self.at.go_to(parent, true)?;
        match kind {
            EntryType::Symlink => {
                let to = target(entry)?;
                new(&self.at, name, |here| symlinkat(OsStr::from_bytes(&to), here, *name))?;
            }
            EntryType::Link => {
                let to = target(entry)?;
                let names = inside(Path::new(OsStr::from_bytes(&to)))?;
                let Some((old, parent)) = names.split_last() else {
                    return Err(io::Error::other("it is a link without a target"));
                };
                self.linked.go_to(parent, false)?;
                let linked = self.linked.here();
                new(&self.at, name, |here| linkat(linked, *old, here, *name, AtFlags::empty()))?;
            }
            _ if kind.is_file() => {
                let flags = OFlags::CREATE
                    | OFlags::EXCL
                    | OFlags::WRONLY
                    | OFlags::NOFOLLOW
                    | OFlags::CLOEXEC;
                let mut file = File::from(new(&self.at, name, |here| {
                    openat(here, *name, flags, Mode::from_raw_mode(0o600))
                })?);
                let size = io::copy(entry, &mut file)?;
                if size != entry.size() {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "only a part of it arrived",
                    ));
                }
                let changed = i64::try_from(entry.header().mtime()?).unwrap_or_default();
                let time = Timespec { tv_sec: changed, tv_nsec: 0 };
                // a file system without times is no reason to fail
                let _ = futimens(&file, &Timestamps { last_access: time, last_modification: time });
                set_mode(&file, mode)?;
                self.bytes += size;
            }
            _ => {
                return Err(io::Error::other(
                    "it is not a file, directory or link, and cannot be copied",
                ));
            }
        }
        self.files += 1;
        Ok(())
    }
}

/// Creates a new entry. A second entry of the same name replaces the first.
fn new<T>(
    at: &Walk,
    name: &OsStr,
    make: impl Fn(BorrowedFd<'_>) -> rustix::io::Result<T>,
) -> io::Result<T> {
    match make(at.here()) {
        Err(Errno::EXIST) => {
            unlinkat(at.here(), name, AtFlags::empty())?;
            Ok(make(at.here())?)
        }
        made => Ok(made?),
    }
}

fn target(entry: &tar::Entry<'_, impl Read>) -> io::Result<Vec<u8>> {
    let target = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
    target.ok_or_else(|| io::Error::other("it is a link without a target"))
}

/// The components of a path in the archive; an error if it would lead out of the directory.
fn inside(path: &Path) -> io::Result<Vec<&OsStr>> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let name = |part| match part {
        Component::Normal(name) => Ok(name),
        _ => Err(out(path)),
    };
    parts.map(name).collect()
}

fn out(path: &Path) -> io::Error {
    io::Error::new(
        io::ErrorKind::NotADirectory,
        format!("{} would lead out of the directory", path.display()),
    )
}

/// Reads the arriving pieces as one stream.
struct Pieces {
    arriving: Receiver<Vec<u8>>,
    piece: Vec<u8>,
    read: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.piece.len() {
            (self.piece, self.read) = (self.arriving.recv().unwrap_or_default(), 0);
        }
        let count = buffer.len().min(self.piece.len() - self.read);
        buffer[..count].copy_from_slice(&self.piece[self.read..self.read + count]);
        self.read += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::open;
    use std::os::unix::fs::PermissionsExt;
    use std::sync::mpsc::sync_channel;

    struct Tar(tar::Builder<Vec<u8>>);

    impl Tar {
        fn new() -> Self {
            Tar(tar::Builder::new(Vec::new()))
        }

        /// Adds an entry with its path unchanged, which the library would normalize or refuse.
        fn with(mut self, kind: EntryType, path: &str, link: &str, content: &str) -> Self {
            let mut header = tar::Header::new_gnu();
            header.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.as_gnu_mut().unwrap().linkname[..link.len()].copy_from_slice(link.as_bytes());
            header.set_entry_type(kind);
            header.set_mode(if kind.is_dir() { 0o555 } else { 0o640 });
            header.set_mtime(1_000_000_000);
            header.set_size(content.len() as u64);
            header.set_cksum();
            self.0.append(&header, content.as_bytes()).unwrap();
            self
        }

        fn unpack(self, into: &Path) -> Result<Unpacked, String> {
            unpacked(self.0.into_inner().unwrap(), into)
        }
    }

    fn unpacked(bytes: Vec<u8>, into: &Path) -> Result<Unpacked, String> {
        let (pieces, arriving) = sync_channel(1);
        let sending = std::thread::spawn(move || {
            bytes.chunks(1000).all(|piece| pieces.send(piece.to_vec()).is_ok())
        });
        let unpacked = unpack(arriving, Beside::directory(&open(into).unwrap()).unwrap())
            .map_err(|error| error.to_string());
        sending.join().unwrap();
        unpacked
    }

    /// The paths of everything below a directory, sorted.
    fn below(directory: &Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![directory.to_owned()];
        while let Some(here) = open.pop() {
            for entry in std::fs::read_dir(here).unwrap() {
                let entry = entry.unwrap();
                if entry.file_type().unwrap().is_dir() {
                    open.push(entry.path());
                }
                found.push(entry.path().strip_prefix(directory).unwrap().display().to_string());
            }
        }
        found.sort();
        found
    }

    #[test]
    fn files_directories_and_links_are_unpacked() {
        let root = tempfile::tempdir().unwrap();
        let tar = Tar::new()
            .with(EntryType::Directory, "./", "", "")
            .with(EntryType::Directory, "./a", "", "")
            .with(EntryType::Regular, "./a/file", "", "content")
            .with(EntryType::Symlink, "./link", "/etc/passwd", "")
            .with(EntryType::Link, "./hard", "./a/file", "")
            .with(EntryType::Regular, "./link", "", "in place of the link");
        let unpacked = tar.unpack(root.path()).unwrap();
        assert_eq!((unpacked.files, unpacked.bytes), (4, 27));
        assert_eq!(unpacked.modes, [(PathBuf::new(), 0o555), (PathBuf::from("a"), 0o555)]);
        let top = below(root.path())[1].clone();
        assert_eq!(below(&root.path().join(&top)), ["a", "a/file", "hard", "link"]);
        let file = root.path().join(&top).join("link");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "in place of the link");
        let data = std::fs::symlink_metadata(&file).unwrap();
        assert_eq!(data.permissions().mode() & 0o7777, 0o640);
        assert_eq!(
            data.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs(),
            1_000_000_000
        );
        drop(unpacked);
        assert_eq!(below(root.path()), [""; 0]);
    }

    #[test]
    fn nothing_leads_out() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "secret").unwrap();
        let to = outside.path().to_str().unwrap();
        let link = || Tar::new().with(EntryType::Symlink, "./l", to, "");
        let hostile = [
            link().with(EntryType::Regular, "./l/file", "", "hostile"),
            link().with(EntryType::Directory, "./l", "", ""),
            link().with(EntryType::Directory, "./l/new", "", ""),
            link().with(EntryType::Link, "./hard", "./l/secret", ""),
            link().with(EntryType::Symlink, "./l/link", "x", ""),
            Tar::new().with(EntryType::Regular, "../file", "", "hostile"),
            Tar::new().with(EntryType::Regular, "a/../../file", "", "hostile"),
            Tar::new().with(EntryType::Regular, &format!("{to}/file"), "", "hostile"),
            Tar::new().with(EntryType::Link, "hard", &format!("{to}/secret"), ""),
            Tar::new().with(EntryType::Link, "hard", "../../secret", ""),
        ];
        for (number, tar) in hostile.into_iter().enumerate() {
            let root = tempfile::tempdir().unwrap();
            let error =
                tar.unpack(root.path()).err().unwrap_or_else(|| panic!("{number} was unpacked"));
            assert!(error.contains("would lead out of the directory"), "{number}: {error}");
            assert_eq!(below(root.path()), [""; 0], "{number}");
            assert_eq!(below(outside.path()), ["secret"], "{number}");
        }
        let root = tempfile::tempdir().unwrap();
        for kind in [EntryType::Fifo, EntryType::Char, EntryType::Block, EntryType::GNUSparse] {
            assert!(Tar::new().with(kind, "x", "", "").unpack(root.path()).is_err());
        }
    }

    #[test]
    fn a_name_without_an_end_is_refused_before_it_fills_the_memory() {
        let root = tempfile::tempdir().unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(1 << 40);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.resize(3 << 20, b'x');
        let error = unpacked(bytes, root.path()).err().unwrap();
        assert!(error.contains("longer than any"), "{error}");
    }

    #[test]
    fn an_archive_that_ends_early_is_no_archive() {
        let root = tempfile::tempdir().unwrap();
        let tar = Tar::new().with(EntryType::Regular, "./a", "", &"x".repeat(5000));
        let mut bytes = tar.0.into_inner().unwrap();
        bytes.truncate(3000);
        assert!(unpacked(bytes, root.path()).is_err());
        assert_eq!(below(root.path()), [""; 0]);
    }

    /// The CPU time of this thread; other tests run on other threads.
    fn spent() -> std::time::Duration {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        std::time::Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
    }

    #[test]
    fn fault_30_a_deep_tree_takes_no_longer_than_it_is_big() {
        let root = tempfile::tempdir().unwrap();
        let mut builder = tar::Builder::new(Vec::new());
        let mut path = PathBuf::from(".");
        for _ in 0..900 {
            path.push("d");
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o750);
            header.set_size(0);
            builder.append_data(&mut header, &path, io::empty()).unwrap();
        }
        let before = spent();
        let unpacked = unpacked(builder.into_inner().unwrap(), root.path()).unwrap();
        assert_eq!(unpacked.modes.len(), 900);
        drop(unpacked);
        let took = spent() - before;
        assert!(took < std::time::Duration::from_secs(3), "{took:?}");
        assert_eq!(below(root.path()), [""; 0]);
    }
}

//! Streams a root file system to the engine: a tarball as it is, a directory as a tarball that is
//! packed on the fly.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use pallet_core::prelude::{Context, Result};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc::{Sender, channel};

/// Size of the chunks, in bytes.
const CHUNK: usize = 256 << 10;

/// A digest of a directory or tarball: of its files' names, sizes, modes and times, independent of
/// its location.
pub(crate) fn stamp(path: &Path) -> Result<String> {
    let mut digest = Sha256::new();
    visit(path, &mut |file, name, about| {
        // directory times are ignored, because merely using a directory can change them; a tarball
        // is a file, so its time counts
        let time = if about.is_dir() { (0, 0) } else { (about.mtime(), about.mtime_nsec()) };
        let size = if about.is_file() { about.size() } else { 0 };
        let link = if about.is_symlink() { fs::read_link(file)? } else { PathBuf::new() };
        let owner = (about.uid(), about.gid());
        digest.update(format!("{name:?} {:o} {size} {time:?} {owner:?} {link:?}\n", about.mode()));
        Ok(())
    })?;
    Ok(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

/// The bytes of the tarball, existing or packed from a directory, and the thread that reads them.
pub(crate) fn stream(
    path: &Path,
) -> (impl Stream<Item = io::Result<Bytes>> + Send + 'static, JoinHandle<Result<()>>) {
    let (sender, mut receiver) = channel(4);
    let path = path.to_owned();
    let thread = std::thread::spawn(move || {
        let result = if path.is_dir() {
            pack(&path, Chunks(sender.clone()))
        } else {
            copy(&path, Chunks(sender.clone()))
        };
        if result.is_err() {
            // prevents the engine from accepting a truncated image
            let _ = sender.blocking_send(Err(io::Error::other("reading it failed")));
        }
        result
    });
    (poll_fn(move |context| receiver.poll_recv(context)), thread)
}

/// Writes to the stream.
struct Chunks(Sender<io::Result<Bytes>>);

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| {
            io::Error::new(io::ErrorKind::BrokenPipe, "the engine takes no more of it")
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn copy(path: &Path, mut to: Chunks) -> Result<()> {
    let mut file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer).with_context(|| format!("cannot read {}", path.display()))? {
            0 => return Ok(()),
            length => to.write_all(&buffer[..length])?,
        }
    }
}

fn pack(root: &Path, to: impl Write) -> Result<()> {
    let mut tar = Builder::new(BufWriter::with_capacity(CHUNK, to));
    // the first name of each file with several hard links, by device and inode
    let mut linked: HashMap<(u64, u64), PathBuf> = HashMap::new();
    visit(root, &mut |file, name, about| {
        let mut header = Header::new_gnu();
        header.set_metadata(about);
        let kind = about.file_type();
        if kind.is_dir() {
            tar.append_data(
                &mut header,
                if name.as_os_str().is_empty() { Path::new("./") } else { name },
                io::empty(),
            )?;
        } else if kind.is_symlink() {
            header.set_size(0);
            tar.append_link(&mut header, name, fs::read_link(file)?)?;
        } else if kind.is_socket() {
            // a socket is useless to another process
        } else if let Some(first) = linked.get(&(about.dev(), about.ino())) {
            header.set_size(0);
            header.set_entry_type(EntryType::Link);
            tar.append_link(&mut header, name, first)?;
        } else {
            if about.nlink() > 1 {
                linked.insert((about.dev(), about.ino()), name.to_owned());
            }
            if kind.is_file() {
                // exactly the announced number of bytes, even if the file grows
                tar.append_data(&mut header, name, File::open(file)?.take(about.size()))?;
            } else {
                header.set_size(0);
                let device = about.rdev();
                header.set_device_major(u32::try_from((device >> 8) & 0xfff)?)?;
                header.set_device_minor(u32::try_from(
                    (device & 0xff) | ((device >> 12) & 0xf_ff00),
                )?)?;
                tar.append_data(&mut header, name, io::empty())?;
            }
        }
        Ok(())
    })?;
    tar.into_inner()?.flush()?;
    Ok(())
}

/// Calls `look` for the path and everything below it, in a fixed order, with the location, the
/// relative name and the metadata.
fn visit(path: &Path, look: &mut impl FnMut(&Path, &Path, &Metadata) -> Result<()>) -> Result<()> {
    // the directory or tarball itself may be a symbolic link
    let about = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    look(path, Path::new(""), &about).with_context(|| format!("cannot read {}", path.display()))?;
    if about.is_dir() { visit_below(path, Path::new(""), look) } else { Ok(()) }
}

fn visit_below(
    directory: &Path,
    name: &Path,
    look: &mut impl FnMut(&Path, &Path, &Metadata) -> Result<()>,
) -> Result<()> {
    let cannot = |path: &Path| format!("cannot read {}", path.display());
    let entries = fs::read_dir(directory)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .with_context(|| cannot(directory))?;
    let mut names: Vec<_> = entries.iter().map(fs::DirEntry::file_name).collect();
    names.sort();
    for entry in names {
        let (file, name) = (directory.join(&entry), name.join(&entry));
        let about = fs::symlink_metadata(&file).with_context(|| cannot(&file))?;
        look(&file, &name, &about).with_context(|| cannot(&file))?;
        if about.is_dir() {
            visit_below(&file, &name, look)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn root() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usr/bin")).unwrap();
        fs::write(root.path().join("usr/bin/su"), "program").unwrap();
        fs::set_permissions(root.path().join("usr/bin/su"), fs::Permissions::from_mode(0o4755))
            .unwrap();
        fs::hard_link(root.path().join("usr/bin/su"), root.path().join("usr/bin/zu")).unwrap();
        symlink("usr/bin", root.path().join("bin")).unwrap();
        drop(std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap());
        root
    }

    #[test]
    fn a_directory_is_packed_as_it_is() {
        let root = root();
        let mut packed = Vec::new();
        pack(root.path(), &mut packed).unwrap();
        let mut archive = tar::Archive::new(packed.as_slice());
        let mut listed = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let link = entry
                .link_name()
                .unwrap()
                .map(|link| link.display().to_string())
                .unwrap_or_default();
            let header = entry.header();
            listed.push((
                entry.path().unwrap().display().to_string(),
                header.entry_type(),
                header.mode().unwrap() & 0o7000,
                link,
            ));
        }
        let line =
            |path: &str, kind, mode, link: &str| (path.to_owned(), kind, mode, link.to_owned());
        assert_eq!(
            listed[1..],
            [
                line("bin", EntryType::Symlink, 0, "usr/bin"),
                line("usr", EntryType::Directory, 0, ""),
                line("usr/bin", EntryType::Directory, 0, ""),
                line("usr/bin/su", EntryType::Regular, 0o4000, ""),
                line("usr/bin/zu", EntryType::Link, 0o4000, "usr/bin/su"),
            ]
        );
    }

    #[test]
    fn a_stamp_changes_with_a_file_and_with_nothing_else() {
        let root = root();
        let before = stamp(root.path()).unwrap();
        assert_eq!(stamp(root.path()).unwrap(), before);
        fs::write(root.path().join("usr/bin/su"), "programs").unwrap();
        assert_ne!(stamp(root.path()).unwrap(), before);
        let error = stamp(&root.path().join("none")).unwrap_err();
        assert!(error.to_string().contains("none"), "{error}");
    }
}

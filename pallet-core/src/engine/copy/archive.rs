//! Streams a local directory as a tar archive: headers from memory, contents straight from the
//! files.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::transport::InputPart;

/// The name of the directory in its archive.
const TOP: &str = "d";
/// The size of a tar block in bytes.
const BLOCK: u64 = 512;

/// An archive that is ready to be sent.
pub(super) struct Archive {
    pub(super) parts: Vec<InputPart>,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// Archives a directory; the error is one line.
pub(super) fn archive(directory: &Path) -> Result<Archive, String> {
    let mut made =
        Making { archive: Archive { parts: Vec::new(), files: 0, bytes: 0 }, memory: Vec::new() };
    let data = std::fs::metadata(directory).map_err(|error| unreadable(directory, &error))?;
    made.header(directory, Path::new(TOP), &data, EntryType::Directory, 0)?;
    made.below(directory)?;
    // an archive ends with two empty blocks
    made.memory.extend_from_slice(&[0; 2 * BLOCK as usize]);
    made.flush();
    Ok(made.archive)
}

struct Making {
    archive: Archive,
    memory: Vec<u8>,
}

impl Making {
    /// Adds everything below a directory. A directory's entry comes before its contents.
    fn below(&mut self, directory: &Path) -> Result<(), String> {
        // a stack of paths still to be visited, the next one last
        let mut open = Vec::new();
        let list = |path: &Path, name: &Path, open: &mut Vec<(PathBuf, PathBuf)>| {
            let read = || std::fs::read_dir(path)?.collect::<io::Result<Vec<_>>>();
            let mut entries = read().map_err(|error| unreadable(path, &error))?;
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
            open.extend(
                entries.into_iter().map(|entry| (entry.path(), name.join(entry.file_name()))),
            );
            Ok::<_, String>(())
        };
        list(directory, Path::new(TOP), &mut open)?;
        while let Some((path, name)) = open.pop() {
            let data =
                std::fs::symlink_metadata(&path).map_err(|error| unreadable(&path, &error))?;
            if data.is_dir() {
                self.header(&path, &name, &data, EntryType::Directory, 0)?;
                list(&path, &name, &mut open)?;
            } else if data.is_symlink() {
                self.link(&path, &name, &data)?;
                self.archive.files += 1;
            } else if data.is_file() {
                // open each file now, so that an unreadable one fails before anything is sent
                std::fs::File::open(&path).map_err(|error| unreadable(&path, &error))?;
                self.header(&path, &name, &data, EntryType::Regular, data.len())?;
                self.content(&path, data.len());
            } else {
                return Err(format!(
                    "{} is not a file, directory or link, and cannot be copied",
                    path.display()
                ));
            }
        }
        Ok(())
    }

    fn content(&mut self, path: &Path, size: u64) {
        self.archive.files += 1;
        self.archive.bytes += size;
        if size > 0 {
            self.flush();
            self.archive.parts.push(InputPart::Beginning(path.to_owned(), size));
            let padding = (BLOCK - size % BLOCK) % BLOCK;
            self.memory.extend(std::iter::repeat_n(0, padding as usize));
        }
    }

    fn header(
        &mut self,
        path: &Path,
        name: &Path,
        data: &Metadata,
        kind: EntryType,
        size: u64,
    ) -> Result<(), String> {
        let mut header = plain(data, kind);
        header.set_size(size);
        // no content here: that is streamed from the file itself
        Builder::new(&mut self.memory)
            .append_data(&mut header, name, io::empty())
            .map_err(|error| unreadable(path, &error))?;
        self.trim(2);
        Ok(())
    }

    fn link(&mut self, path: &Path, name: &Path, data: &Metadata) -> Result<(), String> {
        let to = std::fs::read_link(path).map_err(|error| unreadable(path, &error))?;
        let mut header = plain(data, EntryType::Symlink);
        Builder::new(&mut self.memory)
            .append_link(&mut header, name, to)
            .map_err(|error| unreadable(path, &error))?;
        self.trim(2);
        Ok(())
    }

    /// Removes the end-of-archive blocks that the builder writes when it is dropped.
    fn trim(&mut self, blocks: usize) {
        let length = self.memory.len().saturating_sub(blocks * BLOCK as usize);
        self.memory.truncate(length);
    }

    fn flush(&mut self) {
        if !self.memory.is_empty() {
            self.archive.parts.push(InputPart::Bytes(std::mem::take(&mut self.memory)));
        }
    }
}

fn plain(data: &Metadata, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(data.permissions().mode() & 0o777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    let modified =
        data.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    header.set_mtime(modified.map_or(0, |time| time.as_secs()));
    header
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::symlink;

    #[test]
    fn an_archive_is_what_tar_reads() {
        let root = tempfile::tempdir().unwrap();
        let deep = format!("{}/{}", "x".repeat(90), "y".repeat(90));
        std::fs::create_dir_all(root.path().join(&deep)).unwrap();
        std::fs::write(root.path().join(&deep).join("a\nb"), "deep").unwrap();
        std::fs::write(root.path().join("empty"), "").unwrap();
        std::fs::write(root.path().join("block"), [7; 512]).unwrap();
        symlink("empty", root.path().join("link")).unwrap();
        let made = archive(root.path()).unwrap();
        assert_eq!((made.files, made.bytes), (4, 516));

        let mut bytes = Vec::new();
        for part in made.parts {
            match part {
                InputPart::Bytes(part) => bytes.extend(part),
                InputPart::Beginning(path, size) => {
                    std::fs::File::open(path).unwrap().take(size).read_to_end(&mut bytes).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        let mut read = tar::Archive::new(bytes.as_slice());
        let entries = read.entries().unwrap().map(|entry| {
            let mut entry = entry.unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content.len())
        });
        let deep = format!("d/{deep}");
        let half = deep.rsplit_once('/').unwrap().0.to_owned();
        let wanted = [("d/", 0), ("d/block", 512), ("d/empty", 0), ("d/link", 0)]
            .map(|(name, size)| (name.to_owned(), size));
        let wanted: Vec<_> = wanted
            .into_iter()
            .chain([(half, 0), (deep.clone(), 0), (format!("{deep}/a\nb"), 4)])
            .collect();
        let entries: Vec<_> =
            entries.map(|(name, size)| (name.trim_end_matches('/').to_owned(), size)).collect();
        let wanted: Vec<_> = wanted
            .into_iter()
            .map(|(name, size)| (name.trim_end_matches('/').to_owned(), size))
            .collect();
        assert_eq!(entries, wanted);
    }

    #[test]
    fn fault_30_a_deep_tree_is_sent_too() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("d/".repeat(900))).unwrap();
        let made = archive(root.path()).unwrap();
        assert_eq!((made.files, made.bytes), (0, 0));
    }
}

//! Archives whose bytes depend on their content only.

use std::collections::BTreeMap;
use std::io::Write;

use anyhow::Context as _;
use flate2::{Compression, GzBuilder};

/// A file of an archive.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    Directory { mode: u32 },
    File { mode: u32, content: Vec<u8> },
    Link { to: String },
}

/// The files of an archive by their paths, without a slash at the beginning.
pub(crate) type Files = BTreeMap<String, Entry>;

/// Adds a file, and the directories above it.
pub(crate) fn add(files: &mut Files, path: &str, mode: u32, content: Vec<u8>) {
    for (at, _) in path.match_indices('/') {
        files.entry(path[..at].to_owned()).or_insert(Entry::Directory { mode: 0o755 });
    }
    files.insert(path.to_owned(), Entry::File { mode, content });
}

/// A tar archive, in the order of paths, of root, and with one time.
pub(crate) fn tar(files: &Files, prefix: &str, time: u64) -> anyhow::Result<Vec<u8>> {
    let mut builder = tar::Builder::new(Vec::new());
    builder.mode(tar::HeaderMode::Deterministic);
    for (path, entry) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(time);
        header.set_uid(0);
        header.set_gid(0);
        let failed = || format!("cannot archive {path}");
        let name = format!("{prefix}{path}");
        let (kind, mode, content): (_, _, &[u8]) = match entry {
            Entry::Directory { mode } => (tar::EntryType::Directory, *mode, &[]),
            Entry::File { mode, content } => (tar::EntryType::Regular, *mode, content),
            Entry::Link { .. } => (tar::EntryType::Symlink, 0o777, &[]),
        };
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_size(content.len() as u64);
        let name = if kind.is_dir() { format!("{name}/") } else { name };
        match entry {
            Entry::Link { to } => builder.append_link(&mut header, name, to),
            _ => builder.append_data(&mut header, name, content),
        }
        .with_context(failed)?;
    }
    builder.into_inner().context("cannot end the archive")
}

/// Compresses bytes.
pub(crate) fn gz(bytes: &[u8], level: u32) -> anyhow::Result<Vec<u8>> {
    let mut out = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(level));
    out.write_all(bytes).context("cannot compress")?;
    out.finish().context("cannot compress")
}

/// A compressed tar archive.
pub(crate) fn tar_gz(files: &Files, time: u64, level: u32) -> anyhow::Result<Vec<u8>> {
    gz(&tar(files, "", time)?, level)
}

/// An archive of `ar`, as packages of Debian are.
pub(crate) fn ar(members: &[(&str, Vec<u8>)], time: u64) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        let header =
            format!("{name:<16}{time:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 100_644, content.len());
        out.extend(header.as_bytes());
        out.extend(content);
        if content.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

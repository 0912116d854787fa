//! Reads and writes files in containers through the engine, whether the container runs or not.

use std::io::Read;

use bollard::body_full;
use bollard::query_parameters::{
    DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder,
};
use futures_util::StreamExt;
use pallet_core::prelude::*;

use crate::answer::Answer;
use crate::engine::{Engine, is_absent};

/// Maximum size of an archive that is read; the files read here are much smaller.
const LIMIT: usize = 4 << 20;

/// A file to write.
pub(crate) struct File<'a> {
    /// Its path, relative to the directory.
    pub(crate) path: &'a str,
    pub(crate) content: &'a [u8],
    pub(crate) mode: u32,
    pub(crate) owner: (u64, u64),
}

/// The files at `path`, by name: a single file, or those in a directory; none if `path` does not
/// exist.
pub(crate) async fn read(
    engine: &Engine,
    container: &str,
    path: &str,
) -> Answer<Vec<(String, Vec<u8>)>> {
    let what = || format!("cannot read {path} of container {}", short(container));
    let options = DownloadFromContainerOptionsBuilder::default().path(path).build();
    let mut stream =
        std::pin::pin!(engine.client.download_from_container(container, Some(options)));
    let mut tar = Vec::new();
    while let Some(chunk) = stream.next().await {
        match chunk {
            Ok(chunk) => tar.extend_from_slice(&chunk),
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(engine.error(&what(), error)),
        }
        if tar.len() > LIMIT {
            return Err(PluginError::failed(format!("{}: it has more than {LIMIT} bytes", what())));
        }
    }
    files(&tar).map_err(|error| PluginError::failed(format!("{}: {error}", what())))
}

/// A single file, if it exists.
pub(crate) async fn read_file(
    engine: &Engine,
    container: &str,
    path: &str,
) -> Answer<Option<Vec<u8>>> {
    Ok(read(engine, container, path).await?.into_iter().next().map(|(_, content)| content))
}

/// Writes files into an existing directory. Missing directories in between are created, accessible
/// only to the file's owner.
pub(crate) async fn write(
    engine: &Engine,
    container: &str,
    directory: &str,
    files: &[File<'_>],
) -> Answer<()> {
    let what = format!("cannot write into {directory} of container {}", short(container));
    let tar = packed(files).map_err(|error| PluginError::failed(format!("{what}: {error}")))?;
    let options = UploadToContainerOptionsBuilder::default().path(directory).build();
    let written =
        engine.client.upload_to_container(container, Some(options), body_full(tar.into())).await;
    written.map_err(|error| engine.error(&what, error))
}

fn files(tar: &[u8]) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut archive = tar::Archive::new(tar);
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let name = entry
                .path()?
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            files.push((name, content));
        }
    }
    Ok(files)
}

fn packed(files: &[File<'_>]) -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        let header = |kind: tar::EntryType, size: usize, mode: u32| {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(size as u64);
            header.set_mode(mode);
            header.set_uid(file.owner.0);
            header.set_gid(file.owner.1);
            header
        };
        if let Some((directory, _)) = file.path.rsplit_once('/') {
            tar.append_data(
                &mut header(tar::EntryType::Directory, 0, 0o700),
                format!("{directory}/"),
                std::io::empty(),
            )?;
        }
        tar.append_data(
            &mut header(tar::EntryType::Regular, file.content.len(), file.mode),
            file.path,
            file.content,
        )?;
    }
    tar.into_inner()
}

/// An id in the short form that the engine's clients show.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_read_again() {
        let keys = File {
            path: ".ssh/authorized_keys",
            content: b"key",
            mode: 0o600,
            owner: (1000, 1000),
        };
        let tar = packed(&[keys, File { path: "empty", content: b"", mode: 0o644, owner: (0, 0) }])
            .unwrap();
        let names: Vec<_> = files(&tar).unwrap();
        assert_eq!(
            names,
            [("authorized_keys".to_owned(), b"key".to_vec()), ("empty".to_owned(), Vec::new())]
        );
        let mut archive = tar::Archive::new(tar.as_slice());
        let modes: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().header().mode().unwrap())
            .collect();
        assert_eq!(modes, [0o700, 0o600, 0o644]);
    }
}

//! Plugins in files on this machine: a library, a crate in Starlark, an archive of either, or an
//! archive of an OCI image layout.

use std::env::consts::DLL_SUFFIX;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use super::contents::{Contents, LocalPlugin};
use super::{InstallError, Installer};
use crate::distribution::artifact::{ArtifactError, Digest, source_files};
use crate::distribution::lock::Origin;
use crate::distribution::repository::{Source, open};
use crate::distribution::store::StoreError;
use crate::local::Bounded;
use crate::model::PluginSummary;
use crate::plugins::source::DESCRIPTION;
use crate::plugins::{
    ANY_TARGET, elf, is_source, library_name, plugin_file, summary, tree_digest, tree_digest_of,
};

/// Maximum size of an archive of plugins, in bytes.
const MAX_ARCHIVE: u64 = 8 << 30;

/// Opens a file. A plugin's files are put into the store; an archive of a layout is unpacked for
/// the duration of the session.
pub(super) async fn local_contents(
    installer: &Installer,
    origin: &Origin,
    file: &Path,
) -> Result<Contents, InstallError> {
    let wrong = |message: String| InstallError::Wrong { origin: origin.clone(), message };
    if matches!(origin, Origin::File(_)) && file.is_dir() {
        return source(installer, origin, file);
    }
    let Origin::Archive { path, .. } = origin else {
        let summary = elf::summary(file).map_err(wrong)?;
        let library = library_name(summary.kind, &summary.name, DLL_SUFFIX);
        return put(installer, file, summary, |directory| {
            let target = directory.join(&library);
            fs::copy(file, &target)
                .map(drop)
                .map_err(|error| ArtifactError::writing(&target)(error).into())
        });
    };
    let unpacked = installer.store.temporary()?;
    unpack(file, unpacked.path()).map_err(|error| match error {
        Unpack::Io(error) => ArtifactError::reading(file)(error).into(),
        Unpack::Wrong(message) => wrong(message),
    })?;
    if unpacked.path().join("oci-layout").exists() {
        let source = Source::Layout { directory: unpacked.path().to_owned(), path: path.clone() };
        let repository = open(&source, &installer.access).await?.into();
        return Ok(Contents::Repository { repository, unpacked: Some(Arc::new(unpacked)) });
    }
    let plugin = plugin_file(unpacked.path()).map_err(wrong)?;
    let summary = summary(&plugin).map_err(wrong)?;
    put(installer, file, summary, |directory| {
        copy_tree(unpacked.path(), directory)
            .map_err(|error| ArtifactError::writing(directory)(error).into())
    })
}

/// Puts the files of a crate in Starlark into the store, under the digest of all of them.
fn source(
    installer: &Installer,
    origin: &Origin,
    directory: &Path,
) -> Result<Contents, InstallError> {
    let wrong = |message: String| InstallError::Wrong { origin: origin.clone(), message };
    let description = directory.join(DESCRIPTION);
    let summary = summary(&description).map_err(|why| wrong(format!("{DESCRIPTION}: {why}")))?;
    let files = source_files(directory)?;
    let digests = files.iter().map(|(path, content)| (path.as_str(), Digest::of(content)));
    let digest = Digest::of(tree_digest_of(digests).as_bytes());
    put_as(installer, digest, summary, |directory| {
        for (path, content) in &files {
            let target = directory.join(path);
            let written = fs::create_dir_all(target.parent().unwrap_or(directory))
                .and_then(|()| fs::write(&target, content));
            written.map_err(ArtifactError::writing(&target))?;
        }
        Ok(())
    })
}

/// Puts a plugin's files into the store, under the digest of the file that contained them.
fn put(
    installer: &Installer,
    file: &Path,
    summary: PluginSummary,
    fill: impl FnOnce(&Path) -> Result<(), InstallError>,
) -> Result<Contents, InstallError> {
    let (digest, _) = Digest::of_file(file).map_err(ArtifactError::reading(file))?;
    put_as(installer, digest, summary, fill)
}

fn put_as(
    installer: &Installer,
    digest: Digest,
    summary: PluginSummary,
    fill: impl FnOnce(&Path) -> Result<(), InstallError>,
) -> Result<Contents, InstallError> {
    let _held = installer.store.hold()?;
    let claim = installer.store.claim(&digest, || ())?;
    let directory = if installer.store.has(&digest) {
        installer.store.directory(&digest)
    } else {
        claim.put(fill)?
    };
    let h1 = tree_digest(&directory).map_err(ArtifactError::from)?;
    let source = plugin_file(&directory).is_ok_and(|file| is_source(&file));
    let target = if source { ANY_TARGET.to_owned() } else { installer.machine.target.clone() };
    Ok(Contents::Files(Arc::new(LocalPlugin { summary, digest, h1, target })))
}

enum Unpack {
    Io(io::Error),
    Wrong(String),
}

impl From<io::Error> for Unpack {
    fn from(error: io::Error) -> Self {
        Unpack::Io(error)
    }
}

/// Unpacks an archive, compressed or not. Accepts only plain files and directories that stay inside
/// the directory.
fn unpack(file: &Path, directory: &Path) -> Result<(), Unpack> {
    let mut begin = [0; 2];
    let compressed = File::open(file)?.read(&mut begin)? == 2 && begin == [0x1f, 0x8b];
    let reader = io::BufReader::new(File::open(file)?);
    let reader: Box<dyn Read> = if compressed {
        Box::new(flate2::read::MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    };
    let (reader, bound) = Bounded::new(reader.take(MAX_ARCHIVE));
    let mut archive = tar::Archive::new(reader);
    let wrong = |error: io::Error| Unpack::Wrong(format!("it is not a plugin archive: {error}"));
    let mut entries = archive.entries().map_err(wrong)?;
    loop {
        bound.between();
        let Some(entry) = entries.next() else { return Ok(()) };
        let mut entry = entry.map_err(wrong)?;
        bound.content();
        let path = entry.path().map_err(wrong)?.into_owned();
        let kind = entry.header().entry_type();
        if kind.is_pax_global_extensions() {
            continue;
        }
        let plain = path.components().all(|part| {
            matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir)
        });
        if !plain || !(kind.is_file() || kind.is_dir()) {
            return Err(Unpack::Wrong(format!(
                "{} in it is not a regular file inside it; nothing was unpacked",
                path.display()
            )));
        }
        let target = directory.join(&path);
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
            continue;
        }
        fs::create_dir_all(target.parent().unwrap_or(directory))?;
        io::copy(&mut entry, &mut File::create(&target)?)?;
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            fs::create_dir(&target)?;
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

impl From<StoreError> for Unpack {
    fn from(error: StoreError) -> Self {
        Unpack::Wrong(error.to_string())
    }
}

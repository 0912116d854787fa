//! An OCI image layout in a directory: `oci-layout`, `index.json` and `blobs/sha256/`. One
//! directory can contain many repositories.
//!
//! An annotation in `index.json` names each manifest: `PATH:TAG`, or only `TAG` as other tools
//! write it. Manifests that refer to another one are listed without a name, as other tools expect.

use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use semver::Version;
use serde_json::json;

use super::blob::{media_type, verify_blob};
use super::reference::{referrers_tag, tag, version};
use super::{Content, Reference, Repository, Source};
use crate::distribution::artifact::index::{Index, Manifest};
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest, media};

/// A repository in an OCI image layout.
pub(super) struct Layout {
    source: Source,
    directory: PathBuf,
    path: String,
}

impl Layout {
    pub(super) fn new(source: &Source) -> Result<Self, ArtifactError> {
        match source {
            Source::Layout { directory, path } => Ok(Layout {
                source: source.clone(),
                directory: directory.clone(),
                path: path.clone(),
            }),
            Source::Registry { .. } => Err(ArtifactError::Source {
                source_text: source.to_string(),
                message: "it is not a directory".to_owned(),
            }),
        }
    }

    /// The paths of the repositories under this path; an empty path for versions that other tools
    /// wrote with only a tag.
    pub(super) fn catalog(&self) -> Result<Vec<String>, ArtifactError> {
        let index = self.index()?;
        let names =
            index.manifests.iter().filter_map(|entry| entry.annotations.get(media::REF_NAME_KEY));
        let names = names.map(|name| name.rsplit_once(':').unwrap_or(("", name)));
        let under = |path: &str| {
            self.path.is_empty()
                || path == self.path
                || path.starts_with(&format!("{}/", self.path))
        };
        let mut paths: Vec<String> = names
            .filter(|(path, tag)| under(path) && version(tag).is_some())
            .map(|(path, _)| path.to_owned())
            .collect();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn index(&self) -> Result<Index, ArtifactError> {
        let file = self.directory.join("index.json");
        match std::fs::read(&file) {
            Ok(content) => {
                serde_json::from_slice(&content).map_err(|error| ArtifactError::NotAPlugin {
                    place: file.display().to_string(),
                    message: format!("cannot be read: {error}"),
                })
            }
            Err(error)
                if error.kind() == std::io::ErrorKind::NotFound
                    && !self.directory.join("oci-layout").exists() =>
            {
                Ok(Index::new(None, Vec::new(), Default::default()))
            }
            Err(error) => Err(ArtifactError::reading(&file)(error)),
        }
    }

    fn blob_file(&self, digest: &Digest) -> PathBuf {
        self.directory.join("blobs/sha256").join(digest.hex())
    }

    /// The name of a tag in `index.json`.
    fn name(&self, tag: &str) -> String {
        if self.path.is_empty() { tag.to_owned() } else { format!("{}:{tag}", self.path) }
    }

    fn tag_of<'a>(&self, entry: &'a Descriptor) -> Option<&'a str> {
        let name = entry.annotations.get(media::REF_NAME_KEY)?;
        match name.rsplit_once(':') {
            Some((path, tag)) if path == self.path => Some(tag),
            None if self.path.is_empty() => Some(name),
            _ => None,
        }
    }

    /// The content of a manifest, verified.
    fn content(&self, digest: &Digest) -> Result<Vec<u8>, ArtifactError> {
        let file = self.blob_file(digest);
        let content = std::fs::read(&file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => self.not_found(digest),
            _ => ArtifactError::reading(&file)(error),
        })?;
        let found = Digest::of(&content);
        if found != *digest {
            let message = format!("its content has the digest {found}");
            return Err(ArtifactError::Corrupt {
                place: self.source.to_string(),
                what: digest.to_string(),
                message,
            });
        }
        Ok(content)
    }

    fn not_found(&self, what: impl ToString) -> ArtifactError {
        ArtifactError::NotFound { place: self.source.to_string(), what: what.to_string() }
    }

    /// Writes a blob atomically. Replaces a damaged one.
    fn write_blob(&self, digest: &Digest, content: Content<'_>) -> Result<(), ArtifactError> {
        let file = self.blob_file(digest);
        if Digest::of_file(&file).is_ok_and(|(found, _)| found == *digest) {
            return Ok(());
        }
        let bytes = match content {
            Content::Bytes(bytes) => return self.write(&file, &mut &*bytes),
            Content::File(path) => path,
        };
        let mut reader = std::fs::File::open(bytes).map_err(ArtifactError::reading(bytes))?;
        self.write(&file, &mut reader)
    }

    fn write(&self, file: &Path, content: &mut dyn Read) -> Result<(), ArtifactError> {
        let directory = file.parent().unwrap_or(&self.directory);
        std::fs::create_dir_all(directory).map_err(ArtifactError::writing(directory))?;
        write_atomically(file, content).map_err(ArtifactError::writing(file))
    }

    /// Changes `index.json` under a lock.
    fn change(&self, change: impl FnOnce(&mut Index)) -> Result<(), ArtifactError> {
        std::fs::create_dir_all(&self.directory)
            .map_err(ArtifactError::writing(&self.directory))?;
        let lock = std::fs::File::open(&self.directory)
            .map_err(ArtifactError::reading(&self.directory))?;
        lock.lock().map_err(ArtifactError::writing(&self.directory))?;
        let marker = self.directory.join("oci-layout");
        let mut index = self.index()?;
        change(&mut index);
        let content = serde_json::to_vec(&index).unwrap_or_default();
        self.write(&self.directory.join("index.json"), &mut &*content)?;
        if !marker.exists() {
            self.write(
                &marker,
                &mut json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes(),
            )?;
        }
        Ok(())
    }
}

#[async_trait]
impl Repository for Layout {
    fn source(&self) -> &Source {
        &self.source
    }

    async fn versions(&self) -> Result<Vec<Version>, ArtifactError> {
        let index = self.index()?;
        let mut versions: Vec<Version> =
            index.manifests.iter().filter_map(|entry| version(self.tag_of(entry)?)).collect();
        versions.sort();
        Ok(versions)
    }

    async fn manifest(
        &self,
        reference: &Reference,
    ) -> Result<(Descriptor, Vec<u8>), ArtifactError> {
        let digest = match reference {
            Reference::Digest(digest) => *digest,
            Reference::Version(version) => {
                let tag = tag(version);
                let entry = self
                    .index()?
                    .manifests
                    .into_iter()
                    .find(|entry| self.tag_of(entry) == Some(&tag));
                entry.ok_or_else(|| self.not_found(format!("version {version}")))?.digest
            }
        };
        let content = self.content(&digest)?;
        Ok((Descriptor::of(media_type(&content), &content), content))
    }

    async fn blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ArtifactError> {
        let from = self.blob_file(&blob.digest);
        let mut source = std::fs::File::open(&from).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => self.not_found(blob.digest),
            _ => ArtifactError::reading(&from)(error),
        })?;
        let mut there = std::fs::metadata(file).map(|data| data.len()).unwrap_or(0);
        let mut target = std::fs::OpenOptions::new()
            .append(true)
            .create(true)
            .open(file)
            .map_err(ArtifactError::writing(file))?;
        source.seek(SeekFrom::Start(there)).map_err(ArtifactError::reading(&from))?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            progress(there);
            let count = source.read(&mut buffer).map_err(ArtifactError::reading(&from))?;
            if count == 0 || there > blob.size {
                break;
            }
            target.write_all(&buffer[..count]).map_err(ArtifactError::writing(file))?;
            there += count as u64;
        }
        target.sync_all().map_err(ArtifactError::writing(file))?;
        verify_blob(&self.source, blob, file)
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, ArtifactError> {
        let index = self.index()?;
        let wanted = |entry: &Descriptor| {
            artifact_type.is_none() || entry.artifact_type.as_deref() == artifact_type
        };
        let mut found: Vec<Descriptor> = Vec::new();
        for entry in index.manifests.iter().filter(|entry| {
            entry.media_type == media::MANIFEST
                && !entry.annotations.contains_key(media::REF_NAME_KEY)
        }) {
            let Ok(manifest) = Manifest::parse("", &self.content(&entry.digest)?) else { continue };
            if manifest.subject.is_some_and(|its| its.digest == *subject) {
                let artifact_type = entry.artifact_type.clone().or(manifest.artifact_type);
                let annotations = if entry.annotations.is_empty() {
                    manifest.annotations
                } else {
                    entry.annotations.clone()
                };
                found.push(Descriptor { artifact_type, annotations, ..entry.clone() });
            }
        }
        // a copy of a registry that lists referrers under a tag
        let tag = referrers_tag(subject);
        if let Some(list) = index.manifests.iter().find(|entry| self.tag_of(entry) == Some(&tag))
            && let Ok(list) = serde_json::from_slice::<Index>(&self.content(&list.digest)?)
        {
            found.extend(list.manifests);
        }
        found.retain(wanted);
        found.sort_by_key(|entry| entry.digest);
        found.dedup_by_key(|entry| entry.digest);
        Ok(found)
    }

    async fn put_blob(&self, blob: &Descriptor, content: Content<'_>) -> Result<(), ArtifactError> {
        self.write_blob(&blob.digest, content)
    }

    async fn put_manifest(
        &self,
        manifest: &Descriptor,
        content: &[u8],
        version: Option<&Version>,
    ) -> Result<(), ArtifactError> {
        self.write_blob(&manifest.digest, Content::Bytes(content))?;
        let Some(version) = version else { return Ok(()) };
        let tag = tag(version);
        let mut entry = manifest.clone();
        entry.annotations = [(media::REF_NAME_KEY.to_owned(), self.name(&tag))].into();
        self.change(|index| {
            index.manifests.retain(|entry| self.tag_of(entry) != Some(&tag));
            index.manifests.push(entry);
        })
    }

    async fn put_referrer(
        &self,
        _subject: &Digest,
        manifest: &Descriptor,
        content: &[u8],
    ) -> Result<(), ArtifactError> {
        self.write_blob(&manifest.digest, Content::Bytes(content))?;
        self.change(|index| {
            index.manifests.retain(|entry| {
                entry.digest != manifest.digest
                    || entry.annotations.contains_key(media::REF_NAME_KEY)
            });
            index.manifests.push(manifest.clone());
        })
    }
}

fn write_atomically(file: &Path, content: &mut dyn Read) -> std::io::Result<()> {
    let directory = file.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix(".new-").permissions(std::fs::Permissions::from_mode(0o644));
    let mut new = builder.tempfile_in(directory)?;
    std::io::copy(content, &mut new)?;
    new.as_file().sync_all()?;
    new.persist(file)?;
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(directory: &Path, path: &str) -> Layout {
        Layout::new(&Source::Layout { directory: directory.to_owned(), path: path.to_owned() })
            .unwrap()
    }

    async fn put_version(layout: &Layout, version: &str) -> Descriptor {
        let content = json!({
            "schemaVersion": 2, "mediaType": media::INDEX, "manifests": [],
            "annotations": { "v": version },
        })
        .to_string();
        let manifest = Descriptor::of(media::INDEX, content.as_bytes());
        layout
            .put_manifest(&manifest, content.as_bytes(), Some(&version.parse().unwrap()))
            .await
            .unwrap();
        manifest
    }

    #[tokio::test]
    async fn versions_are_kept_by_path_and_found_again() {
        let directory = tempfile::tempdir().unwrap();
        let (tls, nginx) =
            (layout(directory.path(), "crate/tls"), layout(directory.path(), "crate/nginx"));
        put_version(&tls, "1.0.0").await;
        let build = put_version(&nginx, "1.0.0+b.1").await;
        put_version(&nginx, "0.9.0").await;
        let versions: Vec<String> =
            nginx.versions().await.unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(versions, ["0.9.0", "1.0.0+b.1"]);
        let (found, content) =
            nginx.manifest(&Reference::Version("1.0.0+b.1".parse().unwrap())).await.unwrap();
        assert_eq!((found.digest, found.media_type.as_str()), (build.digest, media::INDEX));
        assert_eq!(nginx.manifest(&Reference::Digest(build.digest)).await.unwrap().1, content);
        assert_eq!(layout(directory.path(), "").catalog().unwrap(), ["crate/nginx", "crate/tls"]);
        assert_eq!(layout(directory.path(), "crate/tls").catalog().unwrap(), ["crate/tls"]);
        put_version(&layout(directory.path(), ""), "3.0.0").await;
        assert_eq!(
            layout(directory.path(), "").catalog().unwrap(),
            ["", "crate/nginx", "crate/tls"]
        );
        assert!(
            tls.manifest(&Reference::Version("2.0.0".parse().unwrap()))
                .await
                .unwrap_err()
                .is_not_found()
        );
    }

    #[tokio::test]
    async fn a_blob_is_resumed_and_a_changed_one_refused() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(directory.path(), "a");
        let blob = Descriptor::of(media::LAYER, b"twelve bytes");
        layout.put_blob(&blob, Content::Bytes(b"twelve bytes")).await.unwrap();
        let file = directory.path().join("part");
        std::fs::write(&file, "twelve").unwrap();
        layout.blob(&blob, &file, &|_| ()).await.unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"twelve bytes");
        std::fs::write(&file, "Twelve").unwrap();
        let error = layout.blob(&blob, &file, &|_| ()).await.unwrap_err();
        assert!(matches!(error, ArtifactError::Corrupt { .. }) && !file.exists(), "{error}");
    }

    #[tokio::test]
    async fn fault_32_a_damaged_blob_is_replaced_when_it_is_put_again() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(directory.path(), "a");
        let blob = Descriptor::of(media::CONFIG, b"{}");
        layout.put_blob(&blob, Content::Bytes(b"{}")).await.unwrap();
        std::fs::write(layout.blob_file(&blob.digest), "[]").unwrap();
        assert!(layout.small_blob(&blob).await.is_err());
        layout.put_blob(&blob, Content::Bytes(b"{}")).await.unwrap();
        assert_eq!(layout.small_blob(&blob).await.unwrap(), b"{}");
    }

    #[tokio::test]
    async fn what_refers_to_a_manifest_is_listed_once() {
        let directory = tempfile::tempdir().unwrap();
        let layout = layout(directory.path(), "a");
        let subject = put_version(&layout, "1.0.0").await;
        let content = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST,
            "artifactType": media::BUNDLE, "layers": [], "subject": subject,
            "config": Descriptor::of(media::EMPTY, b"{}"),
        });
        let content = content.to_string();
        let manifest = Descriptor {
            artifact_type: Some(media::BUNDLE.to_owned()),
            ..Descriptor::of(media::MANIFEST, content.as_bytes())
        };
        for _ in 0..2 {
            layout.put_referrer(&subject.digest, &manifest, content.as_bytes()).await.unwrap();
        }
        assert_eq!(
            layout.referrers(&subject.digest, Some(media::BUNDLE)).await.unwrap(),
            std::slice::from_ref(&manifest)
        );
        assert_eq!(layout.referrers(&subject.digest, Some(media::PLUGIN)).await.unwrap(), []);
        assert_eq!(layout.referrers(&manifest.digest, None).await.unwrap(), []);
        assert_eq!(layout.versions().await.unwrap().len(), 1);
    }
}

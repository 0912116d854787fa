//! A repository on an OCI registry.
//!
//! Blobs are pushed in one piece, which all registries support. The registry lists referrers; if it
//! does not, Pallet keeps the list under the fallback tag.

mod connect;
mod credentials;
mod token;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use oci_client::Client;
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use semver::Version;
use tokio_util::io::ReaderStream;

use self::connect::{Connection, connect};
use super::blob::{media_type, verify_blob};
use super::reference::{referrers_tag, tag, version};
use super::{Access, Content, Reference, Repository, Source};
use crate::distribution::artifact::index::Index;
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest, media};

/// How many tags or repositories to request at once.
const PAGE: usize = 1000;
/// Maximum number of attempts for a download that makes no progress, and for a list that others
/// change.
const TRIES: u32 = 4;

/// A repository on a registry.
pub(super) struct OciRegistry {
    source: Source,
    host: String,
    path: String,
    connection: Connection,
}

impl OciRegistry {
    pub(super) async fn open(source: &Source, access: &Access) -> Result<Self, ArtifactError> {
        let Source::Registry { host, path } = source else {
            return Err(ArtifactError::Source {
                source_text: source.to_string(),
                message: "it is not a registry".to_owned(),
            });
        };
        let connection = connect(host, path, access).await?;
        Ok(OciRegistry {
            source: source.clone(),
            host: host.clone(),
            path: path.clone(),
            connection,
        })
    }

    /// The paths of the repositories under this path.
    pub(super) async fn catalog(&self) -> Result<Vec<String>, ArtifactError> {
        let mut paths: Vec<String> = Vec::new();
        loop {
            let last = paths.last().map(String::as_str);
            let page = self.client().catalog(&self.named(""), self.auth(), Some(PAGE), last).await;
            let mut page =
                page.map_err(|error| self.explain("list of repositories", error))?.repositories;
            page.retain(|path| !paths.contains(path));
            let complete = page.len() < PAGE;
            paths.append(&mut page);
            if complete {
                break;
            }
        }
        paths.retain(|path| {
            self.path.is_empty()
                || *path == self.path
                || path.starts_with(&format!("{}/", self.path))
        });
        Ok(paths)
    }

    fn client(&self) -> &Client {
        &self.connection.client
    }

    fn auth(&self) -> &RegistryAuth {
        &self.connection.credentials.auth
    }

    /// Passes a digest as if it were a tag: the client searches for its tag in the registry's
    /// answers.
    fn named(&self, name: &str) -> oci_client::Reference {
        oci_client::Reference::with_tag(self.host.clone(), self.path.clone(), name.to_owned())
    }

    fn explain(&self, what: &str, error: OciDistributionError) -> ArtifactError {
        self.connection.explain(&self.source, what, error)
    }

    /// Like [`OciRegistry::explain`], for a push: then a missing thing is the repository itself.
    fn explain_push(&self, what: &str, error: OciDistributionError) -> ArtifactError {
        match self.explain(what, error) {
            ArtifactError::NotFound { place, .. } => ArtifactError::Refused {
                place,
                message: "the registry has no such repository, and does not create it on push; \
                    create it first"
                    .to_owned(),
            },
            other => other,
        }
    }

    /// The manifest with a tag or digest.
    async fn content(&self, name: &str) -> Result<Vec<u8>, ArtifactError> {
        let accepted = [media::INDEX, media::MANIFEST, media::DOCKER_INDEX, media::DOCKER_MANIFEST];
        let pulled =
            self.client().pull_manifest_raw(&self.named(name), self.auth(), &accepted).await;
        pulled.map(|(content, _)| content.to_vec()).map_err(|error| self.explain(name, error))
    }

    async fn put(&self, name: &str, media_type: &str, content: &[u8]) -> Result<(), ArtifactError> {
        let refused =
            |message: String| ArtifactError::Refused { place: self.source.to_string(), message };
        let content_type = media_type
            .parse()
            .map_err(|_| refused(format!("{media_type:?} is not a media type")))?;
        let pushed = self
            .client()
            .push_manifest_raw(&self.named(name), content.to_vec(), content_type)
            .await;
        pushed.map(drop).map_err(|error| self.explain_push(name, error))
    }

    /// The referrers that are listed under the fallback tag.
    async fn listed_referrers(&self, subject: &Digest) -> Result<Index, ArtifactError> {
        let tag = referrers_tag(subject);
        match self.content(&tag).await {
            Ok(content) => {
                serde_json::from_slice(&content).map_err(|error| ArtifactError::Refused {
                    place: self.source.to_string(),
                    message: format!("the list of signatures, {tag}, cannot be read: {error}"),
                })
            }
            Err(error) if error.is_not_found() => {
                Ok(Index::new(None, Vec::new(), Default::default()))
            }
            Err(error) => Err(error),
        }
    }

    /// The referrers that the registry lists; empty if it does not list any.
    async fn native_referrers(&self, subject: &Digest) -> Vec<Descriptor> {
        let subject = oci_client::Reference::with_digest(
            self.host.clone(),
            self.path.clone(),
            subject.to_string(),
        );
        // a registry may refuse the request with any error; then the fallback tag is used
        let Ok(index) = self.client().pull_referrers(&subject, None).await else {
            return Vec::new();
        };
        let entries = index.manifests.into_iter().filter_map(|entry| {
            Some(Descriptor {
                media_type: entry.media_type,
                digest: entry.digest.parse().ok()?,
                size: entry.size.try_into().ok()?,
                artifact_type: entry.artifact_type,
                platform: None,
                annotations: entry.annotations.unwrap_or_default(),
            })
        });
        entries.collect()
    }

    /// Appends to the file what a blob has after its first `there` bytes. Returns the new number of
    /// bytes.
    async fn append(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(u64, Result<(), String>), ArtifactError> {
        use oci_client::client::BlobResponse::{Full, Partial};
        let writing = || ArtifactError::writing(file);
        let mut target =
            std::fs::OpenOptions::new().append(true).create(true).open(file).map_err(writing())?;
        let mut there = target.metadata().map_err(ArtifactError::reading(file))?.len();
        if there > blob.size {
            target.set_len(0).map_err(writing())?;
            there = 0;
        }
        progress(there);
        if there == blob.size {
            return Ok((there, Ok(())));
        }
        let digest = blob.digest.to_string();
        let image = self.named(&digest);
        let response = match there {
            0 => self.client().pull_blob_stream(&image, digest.as_str()).await.map(Full),
            _ => self.client().pull_blob_stream_partial(&image, digest.as_str(), there, None).await,
        };
        let mut stream = match response.map_err(|error| self.explain(&digest, error))? {
            Partial(partial) => partial.stream,
            Full(full) => {
                if there > 0 {
                    target.set_len(0).map_err(writing())?;
                    there = 0;
                }
                full.stream
            }
        };
        while let Some(bytes) = stream.next().await {
            let bytes = match bytes {
                Ok(bytes) => bytes,
                Err(error) => return Ok((there, Err(connect::root_cause(&error)))),
            };
            target.write_all(&bytes).map_err(writing())?;
            there += bytes.len() as u64;
            progress(there.min(blob.size));
            if there > blob.size {
                break;
            }
        }
        target.sync_all().map_err(writing())?;
        Ok((there, if there < blob.size { Err("the connection ended".to_owned()) } else { Ok(()) }))
    }
}

#[async_trait]
impl Repository for OciRegistry {
    fn source(&self) -> &Source {
        &self.source
    }

    async fn versions(&self) -> Result<Vec<Version>, ArtifactError> {
        let mut tags: Vec<String> = Vec::new();
        loop {
            let last = tags.last().map(String::as_str);
            let mut page =
                match self.client().list_tags(&self.named(""), self.auth(), Some(PAGE), last).await
                {
                    Ok(page) => page.tags,
                    Err(error) => match self.explain("tags", error) {
                        error if error.is_not_found() => Vec::new(),
                        error => return Err(error),
                    },
                };
            page.retain(|tag| !tags.contains(tag));
            let complete = page.len() < PAGE;
            tags.append(&mut page);
            if complete {
                break;
            }
        }
        let mut versions: Vec<Version> = tags.iter().filter_map(|tag| version(tag)).collect();
        versions.sort();
        Ok(versions)
    }

    async fn manifest(
        &self,
        reference: &Reference,
    ) -> Result<(Descriptor, Vec<u8>), ArtifactError> {
        let content =
            self.content(&name_of(reference)).await.map_err(|error| match (error, reference) {
                (ArtifactError::NotFound { place, .. }, Reference::Version(version)) => {
                    ArtifactError::NotFound { place, what: format!("version {version}") }
                }
                (error, _) => error,
            })?;
        let descriptor = Descriptor::of(media_type(&content), &content);
        match reference {
            Reference::Digest(wanted) if *wanted != descriptor.digest => {
                Err(ArtifactError::Corrupt {
                    place: self.source.to_string(),
                    what: wanted.to_string(),
                    message: format!("it has the digest {}", descriptor.digest),
                })
            }
            _ => Ok((descriptor, content)),
        }
    }

    async fn blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ArtifactError> {
        let mut tries = 0;
        let mut reached = 0;
        loop {
            let (there, ended) = match self.append(blob, file, progress).await {
                // the registry may recover
                Err(ArtifactError::Unreachable { message, .. }) if tries > 0 => {
                    (reached, Err(message))
                }
                appended => appended?,
            };
            let Err(why) = ended else { break };
            tries = if there > reached { 1 } else { tries + 1 };
            reached = there;
            if tries >= TRIES {
                let message = format!(
                    "a download stopped after {there} of {} bytes: {why}; run the command again \
                        to resume it",
                    blob.size
                );
                return Err(ArtifactError::Unreachable { place: self.host.clone(), message });
            }
            tokio::time::sleep(Duration::from_millis(250 << tries)).await;
        }
        verify_blob(&self.source, blob, file)
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, ArtifactError> {
        let mut found = self.native_referrers(subject).await;
        if found.is_empty() {
            found = self.listed_referrers(subject).await?.manifests;
        }
        found.retain(|entry| {
            artifact_type.is_none() || entry.artifact_type.as_deref() == artifact_type
        });
        Ok(found)
    }

    async fn put_blob(&self, blob: &Descriptor, content: Content<'_>) -> Result<(), ArtifactError> {
        let digest = blob.digest.to_string();
        let image = self.named("");
        let exists = self.client().blob_exists(&image, &digest).await;
        if exists.map_err(|error| self.explain(&digest, error))? {
            return Ok(());
        }
        let pushed = match content {
            Content::Bytes(bytes) => {
                let stream = futures_util::stream::iter([Ok(bytes.to_vec().into())]);
                self.client().push_blob_stream(&image, stream, &digest, Some(blob.size)).await
            }
            Content::File(path) => {
                let file =
                    tokio::fs::File::open(path).await.map_err(ArtifactError::reading(path))?;
                let stream = ReaderStream::new(file).map_err(OciDistributionError::from);
                self.client().push_blob_stream(&image, stream, &digest, Some(blob.size)).await
            }
        };
        pushed.map(drop).map_err(|error| self.explain_push(&digest, error))
    }

    async fn put_manifest(
        &self,
        manifest: &Descriptor,
        content: &[u8],
        version: Option<&Version>,
    ) -> Result<(), ArtifactError> {
        let name = version.map_or(manifest.digest.to_string(), tag);
        self.put(&name, &manifest.media_type, content).await
    }

    async fn put_referrer(
        &self,
        subject: &Digest,
        manifest: &Descriptor,
        content: &[u8],
    ) -> Result<(), ArtifactError> {
        self.put(&manifest.digest.to_string(), &manifest.media_type, content).await?;
        if self.native_referrers(subject).await.iter().any(|entry| entry.digest == manifest.digest)
        {
            return Ok(());
        }
        // read the list again, because another process may have changed it in the meantime
        for _ in 0..TRIES {
            let mut list = self.listed_referrers(subject).await?;
            if list.manifests.iter().any(|entry| entry.digest == manifest.digest) {
                return Ok(());
            }
            list.manifests.push(manifest.clone());
            let content = serde_json::to_vec(&list).unwrap_or_default();
            self.put(&referrers_tag(subject), media::INDEX, &content).await?;
        }
        let message = "the list of its signatures keeps changing; run the command again".to_owned();
        Err(ArtifactError::Refused { place: self.source.to_string(), message })
    }
}

/// The tag or digest in a registry's syntax: `_` replaces the `+` of a version.
fn name_of(reference: &Reference) -> String {
    match reference {
        Reference::Version(version) => tag(version),
        Reference::Digest(digest) => digest.to_string(),
    }
}

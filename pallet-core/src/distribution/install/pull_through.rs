//! A mirror that downloads missing versions from the source and keeps them. Each version is kept
//! whole, so it no longer needs the source.

use std::path::Path;

use async_trait::async_trait;
use semver::Version;

use super::InstallError;
use super::copy::Copy;
use crate::distribution::artifact::index::Index;
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest};
use crate::distribution::repository::{Content, Reference, Repository, Source};
use crate::distribution::store::Store;

pub(super) struct PullThrough {
    source: Source,
    mirror: Box<dyn Repository>,
    origin: Box<dyn Repository>,
    store: Store,
}

impl PullThrough {
    pub(super) fn new(
        source: Source,
        mirror: Box<dyn Repository>,
        origin: Box<dyn Repository>,
        store: Store,
    ) -> Self {
        PullThrough { source, mirror, origin, store }
    }

    async fn pull(&self, reference: &Reference) -> Result<(), ArtifactError> {
        let copy = Copy { from: &*self.origin, to: &*self.mirror, store: &self.store };
        copy.version(reference).await.map(drop).map_err(|error| match error {
            InstallError::Artifact(error) => error,
            other => ArtifactError::Refused {
                place: self.mirror.source().to_string(),
                message: other.to_string(),
            },
        })
    }
}

#[async_trait]
impl Repository for PullThrough {
    fn source(&self) -> &Source {
        &self.source
    }

    /// The versions at the source and in the mirror. If the source is unreachable, only those in
    /// the mirror.
    async fn versions(&self) -> Result<Vec<Version>, ArtifactError> {
        let kept = self.mirror.versions().await?;
        let mut versions = match self.origin.versions().await {
            Err(ArtifactError::Unreachable { .. }) if !kept.is_empty() => return Ok(kept),
            versions => versions?,
        };
        versions.extend(kept);
        versions.sort();
        versions.dedup();
        Ok(versions)
    }

    async fn manifest(
        &self,
        reference: &Reference,
    ) -> Result<(Descriptor, Vec<u8>), ArtifactError> {
        match self.mirror.manifest(reference).await {
            Err(error) if error.is_not_found() => {}
            found => return found,
        }
        let (descriptor, content) = self.origin.manifest(reference).await?;
        if Index::parse("", &descriptor, &content).is_ok() {
            self.pull(&Reference::Digest(descriptor.digest)).await?;
        }
        Ok((descriptor, content))
    }

    async fn blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ArtifactError> {
        match self.mirror.blob(blob, file, progress).await {
            Err(error) if error.is_not_found() => self.origin.blob(blob, file, progress).await,
            end => end,
        }
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, ArtifactError> {
        let kept = self.mirror.referrers(subject, artifact_type).await?;
        if kept.is_empty() { self.origin.referrers(subject, artifact_type).await } else { Ok(kept) }
    }

    async fn put_blob(&self, blob: &Descriptor, content: Content<'_>) -> Result<(), ArtifactError> {
        self.origin.put_blob(blob, content).await
    }

    async fn put_manifest(
        &self,
        manifest: &Descriptor,
        content: &[u8],
        version: Option<&Version>,
    ) -> Result<(), ArtifactError> {
        self.origin.put_manifest(manifest, content, version).await
    }

    async fn put_referrer(
        &self,
        subject: &Digest,
        manifest: &Descriptor,
        content: &[u8],
    ) -> Result<(), ArtifactError> {
        self.origin.put_referrer(subject, manifest, content).await
    }
}

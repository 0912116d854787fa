//! A repository that caches indexes, manifests and signatures, so that they can be verified again
//! offline.
//!
//! The cache is an OCI image layout without layers, in the store. Content that is addressed by
//! digest never changes, so it is read from the cache.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use semver::Version;

use crate::distribution::artifact::{ArtifactError, Descriptor, Digest, media};
use crate::distribution::repository::{Content, Reference, Repository, Source};

/// A repository with its cache.
pub(super) struct CachedRepository {
    there: Box<dyn Repository>,
    kept: Box<dyn Repository>,
    /// The subject of each referrer, by the referrer's digest.
    referrers: Mutex<BTreeMap<Digest, (Digest, Descriptor)>>,
}

impl CachedRepository {
    pub(super) fn keeping(
        there: Box<dyn Repository>,
        kept: Box<dyn Repository>,
    ) -> Arc<dyn Repository> {
        Arc::new(CachedRepository { there, kept, referrers: Mutex::default() })
    }

    fn referrer(&self, digest: &Digest) -> Option<(Digest, Descriptor)> {
        self.referrers.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }
}

#[async_trait]
impl Repository for CachedRepository {
    fn source(&self) -> &Source {
        self.there.source()
    }

    async fn versions(&self) -> Result<Vec<Version>, ArtifactError> {
        self.there.versions().await
    }

    async fn manifest(
        &self,
        reference: &Reference,
    ) -> Result<(Descriptor, Vec<u8>), ArtifactError> {
        if let Reference::Digest(digest) = reference
            && self.referrer(digest).is_none()
            && let Ok(kept) = self.kept.manifest(reference).await
        {
            return Ok(kept);
        }
        let (descriptor, content) = self.there.manifest(reference).await?;
        // a failed write only means another request later
        let _ = match (reference, self.referrer(&descriptor.digest)) {
            (_, Some((subject, listed))) => {
                self.kept.put_referrer(&subject, &listed, &content).await
            }
            (Reference::Version(version), None) => {
                self.kept.put_manifest(&descriptor, &content, Some(version)).await
            }
            (Reference::Digest(_), None) => {
                self.kept.put_manifest(&descriptor, &content, None).await
            }
        };
        Ok((descriptor, content))
    }

    async fn blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ArtifactError> {
        let layer = [media::LAYER, media::IMAGE_LAYER].contains(&blob.media_type.as_str());
        if !layer && self.kept.blob(blob, file, progress).await.is_ok() {
            return Ok(());
        }
        self.there.blob(blob, file, progress).await?;
        if !layer {
            let _ = self.kept.put_blob(blob, Content::File(file)).await;
        }
        Ok(())
    }

    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, ArtifactError> {
        let found = self.there.referrers(subject, artifact_type).await?;
        let mut referrers = self.referrers.lock().unwrap_or_else(PoisonError::into_inner);
        referrers.extend(
            found.iter().map(|descriptor| (descriptor.digest, (*subject, descriptor.clone()))),
        );
        Ok(found)
    }

    fn at_source(&self) -> Option<&dyn Repository> {
        Some(&*self.there)
    }

    async fn put_blob(&self, blob: &Descriptor, content: Content<'_>) -> Result<(), ArtifactError> {
        self.there.put_blob(blob, content).await
    }

    async fn put_manifest(
        &self,
        manifest: &Descriptor,
        content: &[u8],
        version: Option<&Version>,
    ) -> Result<(), ArtifactError> {
        self.there.put_manifest(manifest, content, version).await
    }

    async fn put_referrer(
        &self,
        subject: &Digest,
        manifest: &Descriptor,
        content: &[u8],
    ) -> Result<(), ArtifactError> {
        self.there.put_referrer(subject, manifest, content).await
    }
}

//! Copies one version of a plugin to a directory, with all builds and signatures. The tag is copied
//! last, so the copy is atomic.

use std::path::PathBuf;

use crate::distribution::artifact::index::{Index, Manifest};
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest, media};
use crate::distribution::repository::{Content, Reference, Repository, Source};
use crate::distribution::store::Store;

use super::InstallError;

/// The source and the destination of a copy.
pub(super) struct Copy<'a> {
    pub(super) from: &'a dyn Repository,
    /// An OCI image layout.
    pub(super) to: &'a dyn Repository,
    /// Holds interrupted downloads, so that they can be resumed.
    pub(super) store: &'a Store,
}

impl Copy<'_> {
    /// Copies a version. Returns its digest, and the number of bytes that were missing.
    pub(super) async fn version(
        &self,
        reference: &Reference,
    ) -> Result<(Digest, u64), InstallError> {
        let (descriptor, content) = self.from.manifest(reference).await?;
        let place = format!("{} {reference}", self.from.source());
        let index = Index::parse(&place, &descriptor, &content)?;
        let plugin = index.plugin(&place, descriptor.digest)?;
        self.refuse_replacement(&plugin.version, &index, &descriptor.digest).await?;
        let mut bytes = 0;
        for manifest in &index.manifests {
            bytes += self.manifest(manifest).await?;
        }
        for referrer in self.from.referrers(&descriptor.digest, Some(media::BUNDLE)).await? {
            let (_, content) = self.from.manifest(&Reference::Digest(referrer.digest)).await?;
            bytes += self.blobs(&referrer, &content).await?;
            self.to.put_referrer(&descriptor.digest, &referrer, &content).await?;
        }
        self.to.put_manifest(&descriptor, &content, Some(&plugin.version)).await?;
        Ok((descriptor.digest, bytes))
    }

    /// Fails unless the version is new, or has only gained builds.
    async fn refuse_replacement(
        &self,
        version: &semver::Version,
        new: &Index,
        digest: &Digest,
    ) -> Result<(), InstallError> {
        let there = match self.to.manifest(&Reference::Version(version.clone())).await {
            Ok((descriptor, content)) => Index::parse("", &descriptor, &content)?,
            Err(error) if error.is_not_found() => return Ok(()),
            // this very version, but damaged: copy it again
            Err(ArtifactError::Corrupt { what, .. }) if what == digest.to_string() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let kept = |old: &Descriptor| new.manifests.iter().any(|new| new.digest == old.digest);
        if there.manifests.iter().all(kept) {
            return Ok(());
        }
        let message = format!(
            "has another version {version} than {}; somebody replaced a published version, \
                ask its publisher",
            self.from.source()
        );
        Err(ArtifactError::Refused { place: self.to.source().to_string(), message }.into())
    }

    async fn manifest(&self, manifest: &Descriptor) -> Result<u64, InstallError> {
        let (_, content) = self.from.manifest(&Reference::Digest(manifest.digest)).await?;
        let bytes = self.blobs(manifest, &content).await?;
        self.to.put_manifest(manifest, &content, None).await?;
        Ok(bytes)
    }

    async fn blobs(&self, manifest: &Descriptor, content: &[u8]) -> Result<u64, InstallError> {
        let parts =
            Manifest::parse(&format!("{} {}", self.from.source(), manifest.digest), content)?;
        let mut bytes = 0;
        for blob in std::iter::once(&parts.config).chain(&parts.layers) {
            bytes += self.blob(blob).await?;
        }
        Ok(bytes)
    }

    async fn blob(&self, blob: &Descriptor) -> Result<u64, InstallError> {
        // copy damaged blobs again
        if self.there(&blob.digest).is_some_and(|file| {
            Digest::of_file(&file).is_ok_and(|found| found == (blob.digest, blob.size))
        }) {
            return Ok(0);
        }
        let claim = self.store.claim(&blob.digest, || ())?;
        let partial = claim.partial()?;
        self.from.blob(blob, &partial, &|_| ()).await?;
        self.to.put_blob(blob, Content::File(&partial)).await?;
        std::fs::remove_file(&partial).map_err(ArtifactError::writing(&partial))?;
        Ok(blob.size)
    }

    fn there(&self, digest: &Digest) -> Option<PathBuf> {
        match self.to.source() {
            Source::Layout { directory, .. } => {
                Some(directory.join("blobs/sha256").join(digest.hex()))
            }
            Source::Registry { .. } => None,
        }
    }
}

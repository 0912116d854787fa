//! The interface of all repositories.

use std::path::Path;

use async_trait::async_trait;
use semver::Version;

use super::{Reference, Source};
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest};

/// A repository with the versions of one plugin.
#[async_trait]
pub trait Repository: Send + Sync {
    /// Its source.
    fn source(&self) -> &Source;

    /// The versions, oldest first. Other tags are ignored. Empty if the repository does not exist.
    async fn versions(&self) -> Result<Vec<Version>, ArtifactError>;

    /// An index or manifest, with its descriptor. If a digest was requested, the content is
    /// verified.
    async fn manifest(&self, reference: &Reference)
    -> Result<(Descriptor, Vec<u8>), ArtifactError>;

    /// Appends the missing bytes of a blob to `file`, syncs it to disk, and verifies size and
    /// digest of the whole. Removes a file that does not match. `progress` is called with the
    /// number of bytes so far.
    async fn blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ArtifactError>;

    /// The content of a small blob.
    async fn small_blob(&self, blob: &Descriptor) -> Result<Vec<u8>, ArtifactError> {
        let temporary = Path::new("a temporary file");
        let file = tempfile::NamedTempFile::new().map_err(ArtifactError::writing(temporary))?;
        self.blob(blob, file.path(), &|_| ()).await?;
        std::fs::read(file.path()).map_err(ArtifactError::reading(file.path()))
    }

    /// The manifests that refer to `subject`, of this artifact type or any; may be empty.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, ArtifactError>;

    /// The repository without its cache; `None` if there is no cache.
    fn at_source(&self) -> Option<&dyn Repository> {
        None
    }

    /// Uploads a blob, if it is missing.
    async fn put_blob(&self, blob: &Descriptor, content: Content<'_>) -> Result<(), ArtifactError>;

    /// Uploads an index or manifest, under a version's tag if one is given. Everything that it
    /// refers to must have been uploaded.
    async fn put_manifest(
        &self,
        manifest: &Descriptor,
        content: &[u8],
        version: Option<&Version>,
    ) -> Result<(), ArtifactError>;

    /// Uploads a manifest that refers to `subject`, and adds it to the referrers. `manifest` has
    /// its artifact type and annotations.
    async fn put_referrer(
        &self,
        subject: &Digest,
        manifest: &Descriptor,
        content: &[u8],
    ) -> Result<(), ArtifactError>;
}

/// The bytes of a blob to upload.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The bytes of a file.
    File(&'a Path),
}

//! What every repository can do.

use std::path::Path;

use async_trait::async_trait;
use semver::Version;

use super::{Reference, Source};
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest};

/// The versions of one plugin, wherever they are kept.
#[async_trait]
pub trait Repository: Send + Sync {
    /// Where it is.
    fn source(&self) -> &Source;

    /// The versions there are, oldest first. Tags that are no versions are left out. Empty where
    /// the repository does not exist.
    async fn versions(&self) -> Result<Vec<Version>, ArtifactError>;

    /// An index or manifest, with what names it. Its digest was verified where one was asked for.
    async fn manifest(&self, reference: &Reference)
    -> Result<(Descriptor, Vec<u8>), ArtifactError>;

    /// Appends to `file` what it lacks of a blob, makes it durable, and verifies size and digest of
    /// the whole. A file that does not verify is removed. `progress` is told how many bytes are
    /// there.
    async fn blob(
        &self,
        blob: &Descriptor,
        file: &Path,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(), ArtifactError>;

    /// The content of a blob, which is small.
    async fn small_blob(&self, blob: &Descriptor) -> Result<Vec<u8>, ArtifactError> {
        let temporary = Path::new("a temporary file");
        let file = tempfile::NamedTempFile::new().map_err(ArtifactError::writing(temporary))?;
        self.blob(blob, file.path(), &|_| ()).await?;
        std::fs::read(file.path()).map_err(ArtifactError::reading(file.path()))
    }

    /// The manifests of this artifact type, or of any, that refer to `subject`; empty where there
    /// are none.
    async fn referrers(
        &self,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>, ArtifactError>;

    /// What is asked when nothing is to be taken from what was kept of earlier answers; `None`
    /// where nothing is kept.
    fn at_source(&self) -> Option<&dyn Repository> {
        None
    }

    /// Puts a blob there, if it is not there yet.
    async fn put_blob(&self, blob: &Descriptor, content: Content<'_>) -> Result<(), ArtifactError>;

    /// Puts an index or manifest there, under a version's tag if one is given. All that it points
    /// to must be there already.
    async fn put_manifest(
        &self,
        manifest: &Descriptor,
        content: &[u8],
        version: Option<&Version>,
    ) -> Result<(), ArtifactError>;

    /// Puts a manifest there that refers to `subject`, and lists it among the referrers. `manifest`
    /// carries its artifact type and annotations.
    async fn put_referrer(
        &self,
        subject: &Digest,
        manifest: &Descriptor,
        content: &[u8],
    ) -> Result<(), ArtifactError>;
}

/// The bytes of a blob that is put somewhere.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// Those of a file.
    File(&'a Path),
}

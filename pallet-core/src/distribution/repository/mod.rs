//! Where artifacts are kept: a registry, or an OCI image layout in a directory.

mod connect;
mod credentials;
mod layout;
mod reference;
mod registry;
mod source;
mod token;

pub use reference::Reference;
pub use source::Source;

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use semver::Version;

use super::artifact::{ArtifactError, Descriptor, Digest, media};

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

/// How registries are reached.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Files with credentials, as docker's `config.json` has them; they need not exist. The first
    /// one that knows the registry wins.
    pub credentials: Vec<PathBuf>,
    /// Directories in which credential helpers, `docker-credential-*`, are looked for.
    pub helper_path: Vec<PathBuf>,
    /// Files of certificates (PEM) that are trusted besides the usual ones.
    pub certificates: Vec<PathBuf>,
    /// Registries, `HOST` or `HOST:PORT`, that are spoken to in plain HTTP. One on this machine is
    /// where it does not speak TLS.
    pub plain_http: Vec<String>,
    /// The proxy for `https://`, as a URL.
    pub https_proxy: Option<String>,
    /// The proxy for `http://`, as a URL.
    pub http_proxy: Option<String>,
    /// Hosts that are reached without a proxy, separated by commas.
    pub no_proxy: Option<String>,
}

/// Opens the repository at `source`. Neither a layout nor a repository on a registry need exist
/// yet.
pub async fn open(source: &Source, access: &Access) -> Result<Box<dyn Repository>, ArtifactError> {
    Ok(match source {
        Source::Layout { .. } => Box::new(layout::Layout::new(source)?),
        Source::Registry { .. } => Box::new(registry::Registry::open(source, access).await?),
    })
}

/// The paths of the repositories under `source`. Many public registries do not tell.
pub async fn catalog(source: &Source, access: &Access) -> Result<Vec<String>, ArtifactError> {
    match source {
        Source::Layout { .. } => layout::Layout::new(source)?.catalog(),
        Source::Registry { .. } => registry::Registry::open(source, access).await?.catalog().await,
    }
}

/// Whether a file is that blob, whole; if not, it is removed.
fn verify(source: &Source, blob: &Descriptor, file: &Path) -> Result<(), ArtifactError> {
    let (digest, size) = Digest::of_file(file).map_err(ArtifactError::reading(file))?;
    if (digest, size) == (blob.digest, blob.size) {
        return Ok(());
    }
    std::fs::remove_file(file).map_err(ArtifactError::writing(file))?;
    let message = if size == blob.size {
        format!("it has the digest {digest}")
    } else {
        format!(
            "it has \
            {size} bytes instead of {}",
            blob.size
        )
    };
    Err(ArtifactError::Corrupt {
        place: source.to_string(),
        what: blob.digest.to_string(),
        message,
    })
}

/// What a manifest says that it is.
fn media_type(content: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(content).unwrap_or_default();
    let named = value["mediaType"].as_str().filter(|text| !text.is_empty());
    named
        .unwrap_or(if value["manifests"].is_array() { media::INDEX } else { media::MANIFEST })
        .to_owned()
}

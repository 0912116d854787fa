//! Checks of blobs and manifests in repositories.

use std::path::Path;

use super::Source;
use crate::distribution::artifact::{ArtifactError, Descriptor, Digest, media};

/// Fails unless a file matches the blob. Removes a file that does not.
pub(super) fn verify_blob(
    source: &Source,
    blob: &Descriptor,
    file: &Path,
) -> Result<(), ArtifactError> {
    let (digest, size) = Digest::of_file(file).map_err(ArtifactError::reading(file))?;
    if (digest, size) == (blob.digest, blob.size) {
        return Ok(());
    }
    std::fs::remove_file(file).map_err(ArtifactError::writing(file))?;
    let message = if size == blob.size {
        format!("it has the digest {digest}")
    } else {
        format!("it has {size} bytes instead of {}", blob.size)
    };
    Err(ArtifactError::Corrupt {
        place: source.to_string(),
        what: blob.digest.to_string(),
        message,
    })
}

/// The media type in a manifest.
pub(super) fn media_type(content: &[u8]) -> String {
    let value: serde_json::Value = serde_json::from_slice(content).unwrap_or_default();
    let named = value["mediaType"].as_str().filter(|text| !text.is_empty());
    named
        .unwrap_or(if value["manifests"].is_array() { media::INDEX } else { media::MANIFEST })
        .to_owned()
}

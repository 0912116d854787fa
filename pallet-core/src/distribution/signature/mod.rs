//! Signatures of plugins: as cosign creates and verifies them, with keys or certificates, attached
//! to a plugin's index.
//!
//! A signature is a Sigstore bundle: an in-toto statement with the digest of the index, in a DSSE
//! envelope. It covers every target, because the index contains the digests of all targets.
//! Verifying needs no network, only the key or a trusted root.

mod bundle;
#[cfg(feature = "registries")]
mod certificate;
#[cfg(not(feature = "registries"))]
#[path = "no_certificate.rs"]
mod certificate;
mod key;
#[cfg(feature = "registries")]
mod ring;
mod signer;

use std::fmt;

pub use certificate::TrustedRoot;
pub use key::{KeyAlgorithm, KeyError, PublicKey, SigningKey};
pub use signer::{Identity, IdentityRule, Signer, SignerRule};

use serde_json::json;

use super::artifact::index::Manifest;
use super::artifact::{ArtifactError, Descriptor, Digest, media};
use super::repository::{Content, Reference, Repository};
use bundle::Bundle;

/// Maximum size of a bundle, in bytes.
const MAX_BUNDLE: u64 = 1 << 20;

/// The signature status of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub enum Signed {
    /// An accepted signer signed it.
    By(Signer),
    /// It has no signature.
    Unsigned,
    /// It has only other signatures.
    ByOthers(Vec<UntrustedSigner>),
}

/// A signature that no rule accepts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UntrustedSigner {
    /// The key in it, as `key:<hex>` if it is a fingerprint. It is not verified.
    Key(String),
    /// The identity in its certificate, which is valid.
    Identity(Identity),
    /// Its certificate is invalid, and why.
    Invalid(String),
}

/// Signs an index and attaches the signature. Both algorithms are deterministic here: signing again
/// with the same key gives the same bytes, so the signature is listed only once.
pub async fn sign(
    repository: &dyn Repository,
    index: &Descriptor,
    key: &SigningKey,
) -> Result<Descriptor, ArtifactError> {
    let bundle = bundle::make(&index.digest, key);
    let blob = Descriptor::of(media::BUNDLE, &bundle);
    let annotations = [
        ("dev.sigstore.bundle.content".to_owned(), "dsse-envelope".to_owned()),
        ("dev.sigstore.bundle.predicateType".to_owned(), bundle::PREDICATE.to_owned()),
    ];
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media::MANIFEST,
        "artifactType": media::BUNDLE,
        "config": Descriptor::of(media::EMPTY, b"{}"),
        "layers": [&blob],
        "subject": { "mediaType": index.media_type, "digest": index.digest, "size": index.size },
        "annotations": annotations.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
    });
    let content = manifest.to_string().into_bytes();
    let descriptor = Descriptor {
        artifact_type: Some(media::BUNDLE.to_owned()),
        annotations: annotations.into(),
        ..Descriptor::of(media::MANIFEST, &content)
    };
    repository.put_blob(&Descriptor::of(media::EMPTY, b"{}"), Content::Bytes(b"{}")).await?;
    repository.put_blob(&blob, Content::Bytes(&bundle)).await?;
    repository.put_referrer(&index.digest, &descriptor, &content).await?;
    Ok(descriptor)
}

/// Finds an accepted signer of an index. Earlier rules take precedence. Invalid or unreadable
/// signatures are ignored.
pub async fn verify(
    repository: &dyn Repository,
    index: &Digest,
    rules: &[SignerRule],
    root: &TrustedRoot,
) -> Result<Signed, ArtifactError> {
    let mut bundles = Vec::new();
    for referrer in repository.referrers(index, Some(media::BUNDLE)).await? {
        if let Some(bundle) = read(repository, &referrer).await? {
            let identity = bundle.identity(index, root);
            bundles.push((bundle, identity));
        }
    }
    for rule in rules {
        for (bundle, identity) in &bundles {
            match (rule, identity) {
                (SignerRule::Only(Signer::Key(key)), _) if bundle.is_signed_by(key, index) => {
                    return Ok(Signed::By(Signer::Key(key.clone())));
                }
                (rule, Some(Ok(identity))) if rule.matches(&Signer::Identity(identity.clone())) => {
                    return Ok(Signed::By(Signer::Identity(identity.clone())));
                }
                _ => {}
            }
        }
    }
    let mut others: Vec<UntrustedSigner> = bundles
        .into_iter()
        .map(|(bundle, identity)| match identity {
            None => UntrustedSigner::Key(bundle.key()),
            Some(Ok(identity)) => UntrustedSigner::Identity(identity),
            Some(Err(why)) => UntrustedSigner::Invalid(why),
        })
        .collect();
    others.sort();
    others.dedup();
    Ok(if others.is_empty() { Signed::Unsigned } else { Signed::ByOthers(others) })
}

impl fmt::Display for UntrustedSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UntrustedSigner::Key(key) => f.write_str(key),
            UntrustedSigner::Identity(identity) => identity.fmt(f),
            UntrustedSigner::Invalid(why) => write!(f, "an invalid certificate ({why})"),
        }
    }
}

/// Whether a manifest that refers to a plugin contains a readable signature, whoever signed it.
pub(crate) async fn is_readable(
    repository: &dyn Repository,
    referrer: &Descriptor,
) -> Result<bool, ArtifactError> {
    Ok(read(repository, referrer).await?.is_some())
}

/// The bundle in a manifest that refers to a plugin; `None` if it contains something else. All its
/// content is verified.
async fn read(
    repository: &dyn Repository,
    referrer: &Descriptor,
) -> Result<Option<Bundle>, ArtifactError> {
    let (_, content) = repository.manifest(&Reference::Digest(referrer.digest)).await?;
    let Ok(manifest) = Manifest::parse("", &content) else { return Ok(None) };
    let Some(layer) = manifest
        .layers
        .first()
        .filter(|layer| layer.media_type == media::BUNDLE && layer.size <= MAX_BUNDLE)
    else {
        return Ok(None);
    };
    // the config has no content that matters, but a changed one shows that the repository is
    // damaged or hostile; some tools omit it
    if manifest.config.size <= MAX_BUNDLE
        && let Err(error) = repository.small_blob(&manifest.config).await
        && !error.is_not_found()
    {
        return Err(error);
    }
    Ok(Bundle::parse(&repository.small_blob(layer).await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::repository::{Access, Source, open};

    async fn signed_layout(
        directory: &std::path::Path,
        key: Option<&SigningKey>,
    ) -> (Box<dyn Repository>, Descriptor) {
        let source = Source::Layout { directory: directory.to_owned(), path: "crate/a".to_owned() };
        let repository = open(&source, &Access::default()).await.unwrap();
        let content = br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        let index = Descriptor::of(media::INDEX, content);
        repository.put_manifest(&index, content, Some(&"1.0.0".parse().unwrap())).await.unwrap();
        if let Some(key) = key {
            sign(repository.as_ref(), &index, key).await.unwrap();
        }
        (repository, index)
    }

    async fn found(repository: &dyn Repository, index: &Descriptor, keys: &[PublicKey]) -> Signed {
        let rules: Vec<SignerRule> = keys.iter().cloned().map(SignerRule::from).collect();
        verify(repository, &index.digest, &rules, &TrustedRoot::default()).await.unwrap()
    }

    #[tokio::test]
    async fn a_signature_names_its_signer() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
            let directory = tempfile::tempdir().unwrap();
            let key = SigningKey::generate(algorithm).unwrap();
            let (repository, index) = signed_layout(directory.path(), Some(&key)).await;
            let stranger = SigningKey::generate(algorithm).unwrap().public();
            let signed =
                found(repository.as_ref(), &index, &[stranger.clone(), key.public()]).await;
            assert_eq!(signed, Signed::By(Signer::Key(key.public())));
            let signed = found(repository.as_ref(), &index, &[stranger]).await;
            assert_eq!(
                signed,
                Signed::ByOthers(vec![UntrustedSigner::Key(key.public().to_string())])
            );
        }
    }

    #[tokio::test]
    async fn what_nobody_signed_is_unsigned() {
        let directory = tempfile::tempdir().unwrap();
        let (repository, index) = signed_layout(directory.path(), None).await;
        let key = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap().public();
        assert_eq!(found(repository.as_ref(), &index, &[key]).await, Signed::Unsigned);
    }

    #[tokio::test]
    async fn a_signature_of_something_else_counts_for_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let (repository, index) = signed_layout(directory.path(), None).await;
        // a bundle for another digest, attached to this index
        let bundle = bundle::make(&Digest::of(b"something else"), &key);
        let blob = Descriptor::of(media::BUNDLE, &bundle);
        let manifest = json!({
            "schemaVersion": 2, "mediaType": media::MANIFEST, "artifactType": media::BUNDLE,
            "config": Descriptor::of(media::EMPTY, b"{}"), "layers": [&blob], "subject": index,
        });
        let content = manifest.to_string();
        let descriptor = Descriptor {
            artifact_type: Some(media::BUNDLE.to_owned()),
            ..Descriptor::of(media::MANIFEST, content.as_bytes())
        };
        repository.put_blob(&blob, Content::Bytes(&bundle)).await.unwrap();
        repository.put_referrer(&index.digest, &descriptor, content.as_bytes()).await.unwrap();
        let signed = found(repository.as_ref(), &index, &[key.public()]).await;
        assert_eq!(signed, Signed::ByOthers(vec![UntrustedSigner::Key(key.public().to_string())]));
    }
}

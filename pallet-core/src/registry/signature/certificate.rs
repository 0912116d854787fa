//! Signatures by certificates: an authority says who held the key, and a log says when it was used. All of it stands in the bundle, so no network
//! is needed; whom to believe stands in a trusted root.

use std::fmt;
use std::sync::Arc;

use sigstore_verify::trust_root::{self, SIGSTORE_PRODUCTION_TRUSTED_ROOT};
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{CertificateError, Error, TimestampError, VerificationPolicy, Verifier};

use super::{Identity, ring};
use crate::registry::artifact::Digest;

/// The authorities, logs and clocks that are believed. By default those of Sigstore's public instance, as they were when this was built.
#[derive(Clone, Default)]
pub struct TrustedRoot(Option<Arc<Verifier>>);

impl TrustedRoot {
    /// Reads a root: Sigstore's `trusted_root.json`. The error is one line.
    pub fn from_json(json: &str) -> Result<Self, String> {
        Ok(TrustedRoot(Some(Arc::new(verifier(json)?))))
    }

    /// Whom the certificate in a bundle names, if all of it holds for this digest: the signature, that the certificate is one of an authority, was
    /// valid when the log has it, and is in the log of certificates, and the log's entry. The error says what does not, in one line.
    pub(super) fn identity(&self, bundle: &[u8], digest: &Digest) -> Result<Identity, String> {
        ring::install();
        let text = std::str::from_utf8(bundle).map_err(|error| error.to_string())?;
        let bundle = Bundle::from_json(text).map_err(|error| one_line(&error))?;
        if bundle.verification_material.tlog_entries.is_empty() {
            return Err("it has no entry of a transparency log, which tells when it was made".to_owned());
        }
        let public;
        let verifier = match &self.0 {
            Some(verifier) => verifier,
            None => {
                public = Arc::new(verifier(SIGSTORE_PRODUCTION_TRUSTED_ROOT)?);
                &public
            }
        };
        // whom it names is for the rules to judge
        let verified = verifier
            .verify(Sha256Hash::new(*digest.bytes()), &bundle, &VerificationPolicy::any_identity())
            .map_err(|error| explained(&error))?;
        if !(verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified()) {
            return Err("not all of it was verified".to_owned());
        }
        match (verified.identity(), verified.issuer()) {
            (Some(identity), Some(issuer)) if is_readable(identity.as_str()) && is_readable(issuer) => {
                Ok(Identity { identity: identity.as_str().to_owned(), issuer: issuer.to_owned() })
            }
            _ => Err("its certificate names no identity and issuer".to_owned()),
        }
    }
}

fn verifier(json: &str) -> Result<Verifier, String> {
    ring::install();
    let root = trust_root::TrustedRoot::from_json(json).map_err(|error| format!("this is no trusted root: {}", one_line(&error)))?;
    if root.certificate_authorities.is_empty() || root.tlogs.is_empty() || root.ctlogs.is_empty() {
        return Err("a trusted root needs certificateAuthorities, tlogs and ctlogs".to_owned());
    }
    Verifier::new(&root).map_err(|error| one_line(&error))
}

fn explained(error: &Error) -> String {
    match error {
        Error::ArtifactMismatch(_) => "it is a signature of something else".to_owned(),
        Error::Certificate(CertificateError::ChainInvalid(_) | CertificateError::NoValidAuthority { .. }) => {
            format!("no authority of the trusted root stands behind it ({})", one_line(error))
        }
        Error::Certificate(CertificateError::Expired { .. } | CertificateError::NotYetValid { .. }) => {
            format!("its certificate was not valid when the log has it ({})", one_line(error))
        }
        Error::Timestamp(TimestampError::NoVerifiedTimestamp(_)) => "nothing tells when it was made".to_owned(),
        error => one_line(error),
    }
}

fn one_line(error: &dyn fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What would make a line of its own, or none at all, is nobody's name.
fn is_readable(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "TrustedRoot(from a file)" } else { "TrustedRoot(public)" })
    }
}

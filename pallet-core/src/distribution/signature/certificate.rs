//! Signatures with certificates: an authority certifies who held the key, and a log proves when it
//! was used. The bundle contains all of this, so no network is needed. A trusted root lists the
//! trusted authorities and logs.

use std::fmt;
use std::sync::Arc;

use sigstore_verify::trust_root::{self, SIGSTORE_PRODUCTION_TRUSTED_ROOT};
use sigstore_verify::types::{Bundle, Sha256Hash};
use sigstore_verify::{CertificateError, Error, TimestampError, VerificationPolicy, Verifier};

use super::{Identity, ring};
use crate::distribution::artifact::Digest;

/// The trusted authorities, logs and timestamp services. Default: those of Sigstore's public
/// instance at build time.
#[derive(Clone, Default)]
pub struct TrustedRoot(Option<Arc<Verifier>>);

impl TrustedRoot {
    /// Parses a root: Sigstore's `trusted_root.json`. The error is one line.
    pub fn from_json(json: &str) -> Result<Self, String> {
        Ok(TrustedRoot(Some(Arc::new(verifier(json)?))))
    }

    /// The identity in a bundle's certificate, after a full verification for this digest: the
    /// signature, the certificate's authority, its validity at the time in the log, its entry in
    /// the log of certificates, and the entry of the signature in the log. The error is one line
    /// that says what failed.
    pub(super) fn identity(&self, bundle: &[u8], digest: &Digest) -> Result<Identity, String> {
        ring::install();
        let text = std::str::from_utf8(bundle).map_err(|error| error.to_string())?;
        let bundle = Bundle::from_json(text).map_err(|error| one_line(&error))?;
        if bundle.verification_material.tlog_entries.is_empty() {
            return Err(
                "it has no entry in a transparency log to prove when it was made".to_owned()
            );
        }
        let public;
        let verifier = match &self.0 {
            Some(verifier) => verifier,
            None => {
                public = Arc::new(verifier(SIGSTORE_PRODUCTION_TRUSTED_ROOT)?);
                &public
            }
        };
        // the rules decide about the identity later
        let verified = verifier
            .verify(Sha256Hash::new(*digest.bytes()), &bundle, &VerificationPolicy::any_identity())
            .map_err(|error| explained(&error))?;
        if !(verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified())
        {
            return Err("not all of it was verified".to_owned());
        }
        match (verified.identity(), verified.issuer()) {
            (Some(identity), Some(issuer))
                if is_readable(identity.as_str()) && is_readable(issuer) =>
            {
                Ok(Identity { identity: identity.as_str().to_owned(), issuer: issuer.to_owned() })
            }
            _ => Err("its certificate names no identity and issuer".to_owned()),
        }
    }
}

fn verifier(json: &str) -> Result<Verifier, String> {
    ring::install();
    let root = trust_root::TrustedRoot::from_json(json)
        .map_err(|error| format!("this is not a trusted root: {}", one_line(&error)))?;
    if root.certificate_authorities.is_empty() || root.tlogs.is_empty() || root.ctlogs.is_empty() {
        return Err("a trusted root needs certificateAuthorities, tlogs and ctlogs".to_owned());
    }
    Verifier::new(&root).map_err(|error| one_line(&error))
}

fn explained(error: &Error) -> String {
    match error {
        Error::ArtifactMismatch(_) => "it signs something else".to_owned(),
        Error::Certificate(CertificateError::ChainInvalid(why)) => {
            format!(
                "no authority of the trusted root issued its certificate for the time in the \
                    log: {}",
                one_line(why)
            )
        }
        Error::Timestamp(TimestampError::NoVerifiedTimestamp(_)) => {
            "it has no trusted timestamp".to_owned()
        }
        error => one_line(error),
    }
}

fn one_line(error: &dyn fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Rejects names with line breaks or invisible characters.
fn is_readable(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

impl fmt::Debug for TrustedRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "TrustedRoot(from a file)"
        } else {
            "TrustedRoot(public)"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Real {
        bundle: &'static str,
        root: TrustedRoot,
        digest: Digest,
        identity: &'static str,
    }

    /// Real bundles, from the tests of sigstore-verify and sigstore-python: attestations of GitHub
    /// workflows. The log of the first one has a time. The second one is from Sigstore's staging
    /// instance; its log has no time, which comes from a timestamp service.
    fn bundles() -> [Real; 2] {
        let public = Real {
            bundle: include_str!("testdata/rekor-1.json"),
            root: TrustedRoot::default(),
            digest: "sha256:54303491a8418fbed24344b513546182c29b43bf282ceb433af65e2299f9271f"
                .parse()
                .unwrap(),
            identity: "https://github.com/prefix-dev/sigstore-example/.github/\
            workflows/action.yaml@refs/heads/main",
        };
        let staging = Real {
            bundle: include_str!("testdata/rekor-2.json"),
            root: TrustedRoot::from_json(trust_root::SIGSTORE_STAGING_TRUSTED_ROOT).unwrap(),
            digest: "sha256:a0cfc71271d6e278e57cd332ff957c3f7043fdda354c4cbb190a30d56efa01bf"
                .parse()
                .unwrap(),
            identity: "https://github.com/sigstore-conformance/\
                extremely-dangerous-public-oidc-beacon/.github/workflows/\
                extremely-dangerous-oidc-beacon.yml@refs/heads/main",
        };
        [public, staging]
    }

    #[test]
    fn a_certificate_names_its_workflow() {
        for Real { bundle, root, digest, identity } in bundles() {
            let found = root.identity(bundle.as_bytes(), &digest).unwrap();
            assert_eq!(
                (found.identity.as_str(), found.issuer.as_str()),
                (identity, "https://token.actions.githubusercontent.com")
            );
        }
    }

    #[test]
    fn another_root_stands_behind_nothing() {
        let [public, staging] = bundles();
        assert!(staging.root.identity(public.bundle.as_bytes(), &public.digest).is_err());
        assert!(public.root.identity(staging.bundle.as_bytes(), &staging.digest).is_err());
    }

    #[test]
    fn what_was_changed_does_not_hold() {
        for Real { bundle, root, digest, .. } in bundles() {
            let other = root.identity(bundle.as_bytes(), &Digest::of(b"something else"));
            assert_eq!(other, Err("it signs something else".to_owned()));
            // each of these fields affects another check
            for part in ["rawBytes", "sig", "canonicalizedBody", "payload", "envelope"] {
                let at = bundle.find(&format!("\"{part}\":")).unwrap() + part.len() + 40;
                let letter = if bundle.as_bytes()[at] == b'A' { "B" } else { "A" };
                let changed = format!("{}{letter}{}", &bundle[..at], &bundle[at + 1..]);
                let error = root.identity(changed.as_bytes(), &digest).unwrap_err();
                assert!(!error.is_empty() && !error.contains('\n'), "{part}: {error}");
            }
        }
    }

    #[test]
    fn without_an_entry_in_a_log_it_does_not_hold() {
        let [Real { bundle, root, digest, .. }, _] = bundles();
        let mut bundle: serde_json::Value = serde_json::from_str(bundle).unwrap();
        bundle["verificationMaterial"]["tlogEntries"] = serde_json::json!([]);
        assert!(
            root.identity(bundle.to_string().as_bytes(), &digest)
                .unwrap_err()
                .contains("no entry in a transparency log")
        );
    }

    #[test]
    fn what_is_no_root_is_said_in_one_line() {
        let empty = r#"{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}"#;
        for text in ["", "[]", "{}", empty] {
            let error = TrustedRoot::from_json(text).unwrap_err();
            assert!(error.contains("trusted root") && !error.contains('\n'), "{error}");
        }
    }
}

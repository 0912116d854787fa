//! Whose signatures are trusted for which sources, and what to do without a trusted signature.

use std::fmt;

use semver::Version;
use thiserror::Error;

use super::lock::{Accepted, LockedPlugin, Origin};
use super::signature::{Signed, Signer, SignerRule, TrustedRoot, UntrustedSigner};

/// The signers that a project and its user trust.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The trusted signers, by source.
    pub rules: Vec<TrustRule>,
    /// The trusted certificate authorities and logs.
    pub root: TrustedRoot,
}

/// The trusted signers of one source.
#[derive(Debug, Clone)]
pub struct TrustRule {
    /// The prefix of the source, which ends at the end of a word of the path: `oci://ghcr.io/acme`.
    /// `*`: every source.
    pub prefix: String,
    /// The accepted signers.
    pub signers: Vec<SignerRule>,
}

/// One-time decisions from the command line. They are recorded in the lock.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// Accept plugins without a signature.
    pub unsigned: bool,
    /// Accept plugins with these signers.
    pub signers: Vec<SignerRule>,
}

/// A plugin, for messages.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its source.
    pub source: Origin,
}

/// Why a plugin is not trusted.
#[derive(Debug, Clone, Error)]
pub enum TrustError {
    /// It is not signed, and the user did not accept that.
    #[error(
        "{0} is not signed; to install it anyway and record that decision in pallet.lock, pass \
            --accept-unsigned"
    )]
    Unsigned(Subject),
    /// Its signer is not trusted, and the user did not accept it.
    #[error("{subject} is signed by {}, which is not trusted; {}", list(signers), advice(signers))]
    Unknown {
        /// The plugin.
        subject: Subject,
        /// Its signers.
        signers: Vec<UntrustedSigner>,
    },
    /// An earlier version had another signer.
    #[error(
        "{subject} is signed by {}, and {before} was signed by {old}; ask its publisher whether \
         the signer changed, then pass {} with the new one",
        list(signers),
        options(signers)
    )]
    Changed {
        /// The plugin.
        subject: Subject,
        /// The locked version.
        before: Version,
        /// Its signer.
        old: Signer,
        /// The signers of this version.
        signers: Vec<UntrustedSigner>,
    },
    /// All its signatures have certificates, and none is valid.
    #[error("{subject} is signed by {}; {REPAIR}", list(signers))]
    Invalid {
        /// The plugin.
        subject: Subject,
        /// The signatures.
        signers: Vec<UntrustedSigner>,
    },
    /// An earlier version was signed, this one is not.
    #[error(
        "{subject} is not signed, and {before} was signed by {old}; ask its publisher what \
            happened; to install it anyway, `pallet-cli uninstall` it first, then pass \
            --accept-unsigned"
    )]
    Lost {
        /// The plugin.
        subject: Subject,
        /// The locked version.
        before: Version,
        /// Its signer.
        old: Signer,
    },
}

const REPAIR: &str = "ask its publisher to sign it again; if that was not Sigstore's public \
    instance, set `trusted_root = \"FILE\"` in [sigstore]";

impl Trust {
    /// The accepted signers for a source: those of the longest matching prefix.
    pub fn signers(&self, source: &Origin) -> Vec<SignerRule> {
        let source = source.to_string();
        let matching = || self.rules.iter().filter(|rule| is_prefix(&rule.prefix, &source));
        let Some(longest) = matching().map(|rule| rank(&rule.prefix)).max() else {
            return Vec::new();
        };
        let mut signers: Vec<SignerRule> = Vec::new();
        for signer in
            matching().filter(|rule| rank(&rule.prefix) == longest).flat_map(|rule| &rule.signers)
        {
            if !signers.contains(signer) {
                signers.push(signer.clone());
            }
        }
        signers
    }

    /// Decides whether a plugin may be installed. Returns the decision to record in the lock.
    /// `before` is its current lock entry.
    pub fn decide(
        &self,
        subject: Subject,
        signed: &Signed,
        before: Option<&LockedPlugin>,
        decisions: &Decisions,
    ) -> Result<Option<Accepted>, TrustError> {
        let rules = self.signers(&subject.source);
        let was = before.and_then(|before| Some((before.version.clone(), before.signer.clone()?)));
        let signer = match (signed, was) {
            (Signed::Unsigned, Some((before, old))) => {
                return Err(TrustError::Lost { subject, before, old });
            }
            (Signed::Unsigned, None) if decisions.unsigned => return Ok(Some(Accepted::Unsigned)),
            (Signed::Unsigned, None) => return Err(TrustError::Unsigned(subject)),
            (Signed::ByOthers(others), was) => {
                let signers = others.clone();
                return Err(match was {
                    _ if others
                        .iter()
                        .all(|other| matches!(other, UntrustedSigner::Invalid(_))) =>
                    {
                        TrustError::Invalid { subject, signers }
                    }
                    Some((before, old)) => TrustError::Changed { subject, before, old, signers },
                    None => TrustError::Unknown { subject, signers },
                });
            }
            (Signed::By(signer), Some((before, old)))
                if !is_same(&rules, &old, signer) && !counts(&decisions.signers, signer) =>
            {
                return Err(TrustError::Changed {
                    subject,
                    before,
                    old,
                    signers: vec![signer.into()],
                });
            }
            (Signed::By(signer), _) => signer,
        };
        if counts(&rules, signer) {
            return Ok(None);
        }
        let accepted_before = before.is_some_and(|before| {
            before.accepted == Some(Accepted::Signer) && before.signer.as_ref() == Some(signer)
        });
        match accepted_before || counts(&decisions.signers, signer) {
            true => Ok(Some(Accepted::Signer)),
            false => Err(TrustError::Unknown { subject, signers: vec![signer.into()] }),
        }
    }
}

/// Whether any of these rules accepts this signer.
fn counts(rules: &[SignerRule], signer: &Signer) -> bool {
    rules.iter().any(|rule| rule.matches(signer))
}

/// Whether both are the same signer. Identities that match the same rule count as the same, since
/// those of a workflow differ from tag to tag.
fn is_same(rules: &[SignerRule], old: &Signer, new: &Signer) -> bool {
    old == new || rules.iter().any(|rule| rule.matches(old) && rule.matches(new))
}

fn list(signers: &[UntrustedSigner]) -> String {
    signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// The options that accept these signers.
fn options(signers: &[UntrustedSigner]) -> &'static str {
    match signers.iter().any(|signer| matches!(signer, UntrustedSigner::Identity(_))) {
        true => "--accept-identity IDENTITY --accept-issuer ISSUER",
        false => "--accept-signer FILE",
    }
}

/// What to do about signers that are not trusted.
fn advice(signers: &[UntrustedSigner]) -> String {
    let option = options(signers);
    match signers.iter().any(|signer| matches!(signer, UntrustedSigner::Identity(_))) {
        true => format!(
            "if that is its publisher, add the identity and its issuer to [trust], or pass {option}"
        ),
        false => {
            format!("ask its publisher for the public key, and add it to [trust], or pass {option}")
        }
    }
}

impl From<&Signer> for UntrustedSigner {
    fn from(signer: &Signer) -> Self {
        match signer {
            Signer::Key(key) => UntrustedSigner::Key(key.to_string()),
            Signer::Identity(identity) => UntrustedSigner::Identity(identity.clone()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} from {}", self.name, self.version, self.source)
    }
}

/// Whether a source begins with a prefix that ends at a word boundary of its path.
pub(crate) fn is_prefix(prefix: &str, source: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    prefix == "*"
        || source
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#']))
}

fn rank(prefix: &str) -> usize {
    if prefix == "*" { 0 } else { prefix.trim_end_matches('/').len() }
}

//! Who is trusted to sign what, and what is decided where nobody is.

use std::fmt;

use semver::Version;
use thiserror::Error;

use super::lock::{Accepted, LockedPlugin, Origin};
use super::signature::{Signed, Signer, SignerRule, TrustedRoot, UntrustedSigner};

/// Whom a project and its user trust.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Who may sign what comes from where.
    pub rules: Vec<TrustRule>,
    /// Whose certificates and logs are believed.
    pub root: TrustedRoot,
}

/// Who may sign what comes from one place.
#[derive(Debug, Clone)]
pub struct TrustRule {
    /// How the source begins, up to a whole word of its path: `oci://ghcr.io/acme`. `*`: every
    /// source.
    pub prefix: String,
    /// Whose signatures count.
    pub signers: Vec<SignerRule>,
}

/// What the person at the command line decides for this once. What is decided stands in the lock
/// then.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// Plugins that nobody signed may be installed.
    pub unsigned: bool,
    /// Plugins that these signed may be installed.
    pub signers: Vec<SignerRule>,
}

/// A plugin, in messages.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it is from.
    pub source: Origin,
}

/// Why a plugin is not trusted.
#[derive(Debug, Clone, Error)]
pub enum TrustError {
    /// Nobody signed it, and nobody decided to accept that.
    #[error(
        "{0} is not signed; to install it anyway and record that decision in pallet.lock, pass \
            --accept-unsigned"
    )]
    Unsigned(Subject),
    /// Its signer is not trusted, and nobody decided to accept it.
    #[error("{subject} is signed by {}, which is not trusted; {}", list(signers), advice(signers))]
    Unknown {
        /// The plugin.
        subject: Subject,
        /// Who signed it.
        signers: Vec<UntrustedSigner>,
    },
    /// Another one signed the versions before.
    #[error(
        "{subject} is signed by {}, and {before} was signed by {old}; ask its publisher whether \
            that was changed, then pass {} with the new one",
        list(signers),
        options(signers)
    )]
    Changed {
        /// The plugin.
        subject: Subject,
        /// The version that is locked.
        before: Version,
        /// Who signed that.
        old: Signer,
        /// Who signed this.
        signers: Vec<UntrustedSigner>,
    },
    /// All of its signatures have certificates, and none of them holds.
    #[error("{subject} is signed by {}; {REPAIR}", list(signers))]
    Invalid {
        /// The plugin.
        subject: Subject,
        /// The signatures.
        signers: Vec<UntrustedSigner>,
    },
    /// The versions before were signed.
    #[error(
        "{subject} is not signed, and {before} was signed by {old}; ask its publisher what \
            happened; to install it anyway, `pallet-cli uninstall` it first, then pass \
            --accept-unsigned"
    )]
    Lost {
        /// The plugin.
        subject: Subject,
        /// The version that is locked.
        before: Version,
        /// Who signed that.
        old: Signer,
    },
}

const REPAIR: &str = "ask its publisher to sign it again; if that was not Sigstore's public \
    instance, set `trusted_root = \"FILE\"` in [sigstore]";

impl Trust {
    /// Whose signatures count for what comes from a source: those of the longest prefix.
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

    /// Whether a plugin may be installed, and which decision to write into the lock for that.
    /// `before` is what is locked of it now.
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

/// Whether signatures of this signer count by any of these rules.
fn counts(rules: &[SignerRule], signer: &Signer) -> bool {
    rules.iter().any(|rule| rule.matches(signer))
}

/// Whether both are the same signer, which identities also are that one rule is about: those of a
/// workflow differ from tag to tag.
fn is_same(rules: &[SignerRule], old: &Signer, new: &Signer) -> bool {
    old == new || rules.iter().any(|rule| rule.matches(old) && rule.matches(new))
}

fn list(signers: &[UntrustedSigner]) -> String {
    signers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
}

/// The options that accept such signers.
fn options(signers: &[UntrustedSigner]) -> &'static str {
    match signers.iter().any(|signer| matches!(signer, UntrustedSigner::Identity(_))) {
        true => "--accept-identity IDENTITY --accept-issuer ISSUER",
        false => "--accept-signer FILE",
    }
}

/// What to do about signers that nothing trusts.
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

/// Whether a source begins with a prefix, and that ends where a word of its path ends.
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

//! Who is trusted to sign what, and what is decided where nobody is.

use std::fmt;

use semver::Version;
use thiserror::Error;

use super::lock::{Accepted, LockedPlugin, Origin};
use super::signature::{PublicKey, Signed};

/// Whom a project and its user trust.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Who may sign what comes from where.
    pub rules: Vec<TrustRule>,
}

/// Who may sign what comes from one place.
#[derive(Debug, Clone)]
pub struct TrustRule {
    /// How the source begins, up to a whole word of its path: `oci://ghcr.io/acme`. `*`: every source.
    pub prefix: String,
    /// The keys.
    pub keys: Vec<PublicKey>,
}

/// What the person at the command line decides for this once. What is decided stands in the lock then.
#[derive(Debug, Clone, Default)]
pub struct Decisions {
    /// Plugins that nobody signed may be installed.
    pub unsigned: bool,
    /// Plugins that these keys signed may be installed.
    pub signers: Vec<PublicKey>,
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
    #[error("{0} is not signed; to install it all the same, and have that decision written into pallet.lock, say --accept-unsigned")]
    Unsigned(Subject),
    /// Its signer is not trusted, and nobody decided to accept it.
    #[error(
        "{subject} is signed by {signer}, which nothing trusts; ask its publisher for the public key, and put that into [trust], or say \
         --accept-signer FILE"
    )]
    Unknown {
        /// The plugin.
        subject: Subject,
        /// Who signed it, as the signatures say.
        signer: String,
    },
    /// Another one signed the versions before.
    #[error(
        "{subject} is signed by {signer}, and {before} was signed by {old}; ask its publisher whether the key was changed, then say \
         --accept-signer FILE with the new one"
    )]
    Changed {
        /// The plugin.
        subject: Subject,
        /// The version that is locked.
        before: Version,
        /// Who signed that.
        old: PublicKey,
        /// Who signed this, as the signatures say.
        signer: String,
    },
    /// The versions before were signed.
    #[error(
        "{subject} is not signed, and {before} was signed by {old}; ask its publisher what happened; to install it all the same, \
         `pallet-cli uninstall` it first, then say --accept-unsigned"
    )]
    Lost {
        /// The plugin.
        subject: Subject,
        /// The version that is locked.
        before: Version,
        /// Who signed that.
        old: PublicKey,
    },
}

impl Trust {
    /// The keys that may sign what comes from a source: those of the longest prefix.
    pub fn keys(&self, source: &Origin) -> Vec<PublicKey> {
        let source = source.to_string();
        let matching = || self.rules.iter().filter(|rule| is_prefix(&rule.prefix, &source));
        let Some(longest) = matching().map(|rule| rank(&rule.prefix)).max() else { return Vec::new() };
        let mut keys: Vec<PublicKey> = Vec::new();
        for key in matching().filter(|rule| rank(&rule.prefix) == longest).flat_map(|rule| &rule.keys) {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        keys
    }

    /// Whether a plugin may be installed, and which decision to write into the lock for that. `before` is what is locked of it now.
    pub fn decide(
        &self,
        subject: Subject,
        signed: &Signed,
        before: Option<&LockedPlugin>,
        decisions: &Decisions,
    ) -> Result<Option<Accepted>, TrustError> {
        let was = before.and_then(|before| Some((before.version.clone(), before.signer.clone()?)));
        let key = match (signed, was) {
            (Signed::Unsigned, Some((before, old))) => return Err(TrustError::Lost { subject, before, old }),
            (Signed::Unsigned, None) if decisions.unsigned => return Ok(Some(Accepted::Unsigned)),
            (Signed::Unsigned, None) => return Err(TrustError::Unsigned(subject)),
            (Signed::UnknownSigner(others), was) => {
                let signer = others.join(" and ");
                return Err(match was {
                    Some((before, old)) => TrustError::Changed { subject, before, old, signer },
                    None => TrustError::Unknown { subject, signer },
                });
            }
            (Signed::By(key), Some((before, old))) if old != *key && !decisions.signers.contains(key) => {
                return Err(TrustError::Changed { subject, before, old, signer: key.to_string() });
            }
            (Signed::By(key), _) => key,
        };
        if self.keys(&subject.source).contains(key) {
            return Ok(None);
        }
        let accepted_before = before.is_some_and(|before| before.accepted == Some(Accepted::Signer) && before.signer.as_ref() == Some(key));
        match accepted_before || decisions.signers.contains(key) {
            true => Ok(Some(Accepted::Signer)),
            false => Err(TrustError::Unknown { subject, signer: key.to_string() }),
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
    prefix == "*" || source.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '#']))
}

fn rank(prefix: &str) -> usize {
    if prefix == "*" { 0 } else { prefix.trim_end_matches('/').len() }
}

//! Signers: a key, or an identity that a Sigstore authority certified; and rules that say which
//! signers to accept.

use std::fmt;

use serde::{Deserialize, Deserializer};

use super::PublicKey;

/// The signer of something. Displays as `key:<hex>`, or as the identity and its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// A key.
    Key(PublicKey),
    /// The identity in a certificate.
    Identity(Identity),
}

/// A person or a workflow that logged in somewhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The email address, or the URI of a workflow with the commit's branch or tag.
    pub identity: String,
    /// The URL of the issuer, where it logged in.
    pub issuer: String,
}

/// A rule that accepts signers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerRule {
    /// Accepts one signer.
    Only(Signer),
    /// Accepts all identities that match a rule.
    Like(IdentityRule),
}

/// Identities of one issuer. In the pattern, `*` matches any characters except `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityRule(Identity);

impl SignerRule {
    /// Whether the rule accepts this signer.
    pub fn matches(&self, signer: &Signer) -> bool {
        match (self, signer) {
            (SignerRule::Only(only), signer) => only == signer,
            (SignerRule::Like(rule), Signer::Identity(signer)) => rule.matches(signer),
            (SignerRule::Like(_), Signer::Key(_)) => false,
        }
    }
}

impl IdentityRule {
    /// Creates a rule. The error is one line. A pattern that matches everybody is rejected.
    pub fn new(identity: &str, issuer: &str) -> Result<Self, String> {
        if identity.chars().all(|letter| letter == '*') {
            return Err(format!(
                "the identity {identity:?} matches everybody; name the trusted identities"
            ));
        }
        if issuer.is_empty() || issuer.contains('*') {
            return Err(format!(
                "{issuer:?} is not an issuer; write the whole URL, such as \
                    https://token.actions.githubusercontent.com"
            ));
        }
        Ok(IdentityRule(Identity { identity: identity.to_owned(), issuer: issuer.to_owned() }))
    }

    fn matches(&self, signer: &Identity) -> bool {
        let (mut patterns, mut words) = (self.0.identity.split('/'), signer.identity.split('/'));
        loop {
            match (patterns.next(), words.next()) {
                (None, None) => return self.0.issuer == signer.issuer,
                (Some(pattern), Some(word)) if word_matches(pattern, word) => {}
                _ => return false,
            }
        }
    }
}

/// Whether a pattern with `*` matches a word.
fn word_matches(pattern: &str, word: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == word };
    let Some(mut word) = word.strip_prefix(start) else { return false };
    let Some((middle, end)) = rest.rsplit_once('*') else { return word.ends_with(rest) };
    for part in middle.split('*') {
        // the first match is enough: it leaves the longest rest for the other parts
        match word.find(part) {
            Some(at) => word = &word[at + part.len()..],
            None => return false,
        }
    }
    word.ends_with(end)
}

impl From<PublicKey> for SignerRule {
    fn from(key: PublicKey) -> Self {
        SignerRule::Only(Signer::Key(key))
    }
}

/// The format in a lock: a key in one line, or a table of identity and issuer.
impl<'de> Deserialize<'de> for Signer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a signer is a public key, or a table of `identity` and `issuer`"
        )]
        enum Written {
            Key(String),
            Identity(Identity),
        }
        match Written::deserialize(deserializer)? {
            Written::Key(key) => key.parse().map(Signer::Key).map_err(serde::de::Error::custom),
            Written::Identity(identity) => Ok(Signer::Identity(identity)),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signer::Key(key) => key.fmt(f),
            Signer::Identity(identity) => identity.fmt(f),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (issuer {})", self.identity, self.issuer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://token.actions.githubusercontent.com";

    fn matches(rule: &str, identity: &str) -> bool {
        let signer =
            Signer::Identity(Identity { identity: identity.to_owned(), issuer: ISSUER.to_owned() });
        SignerRule::Like(IdentityRule::new(rule, ISSUER).unwrap()).matches(&signer)
    }

    #[test]
    fn a_star_stands_for_a_part_of_a_word() {
        let workflow = "https://github.com/acme/redis/.github/workflows/release.yml";
        let tags = format!("{workflow}@refs/tags/*");
        assert!(matches(&tags, &format!("{workflow}@refs/tags/v1.2.0")));
        assert!(matches(&tags, &format!("{workflow}@refs/tags/")));
        assert!(!matches(&tags, &format!("{workflow}@refs/tags/a/b")));
        assert!(!matches(&tags, &format!("{workflow}@refs/heads/main")));
        assert!(!matches(&tags, &format!("x{workflow}@refs/tags/v1.2.0")));
        // whoever may push branches but no tags can still choose a branch's name
        let any = "https://github.com/acme/redis/.github/workflows/*@refs/tags/*";
        assert!(matches(any, &format!("{workflow}@refs/tags/v1.2.0")));
        assert!(!matches(any, &format!("{workflow}@refs/heads/x@refs/tags/v1.2.0")));
        assert!(
            matches("*@acme.example", "a@acme.example")
                && !matches("*@acme.example", "a@acme.example.org")
        );
        assert!(
            matches("r*a*e*@acme.example", "release-robot@acme.example")
                && !matches("r*b*e*@acme.example", "release@acme.example")
        );
        assert!(matches("a*a", "aa") && !matches("a*a", "a") && matches("a**", "a"));
    }

    #[test]
    fn without_a_star_it_is_exact() {
        assert!(matches("a@acme.example", "a@acme.example"));
        assert!(
            !matches("a@acme.example", "A@acme.example")
                && !matches("a@acme.example", "a@acme.example/")
        );
    }

    #[test]
    fn an_issuer_is_exact_and_a_key_is_no_identity() {
        let rule = SignerRule::Like(IdentityRule::new("a@acme.example", ISSUER).unwrap());
        let other =
            Identity { identity: "a@acme.example".to_owned(), issuer: format!("{ISSUER}/") };
        assert!(!rule.matches(&Signer::Identity(other)));
        let key: PublicKey =
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=".parse().unwrap();
        assert!(
            !rule.matches(&Signer::Key(key.clone()))
                && SignerRule::from(key.clone()).matches(&Signer::Key(key))
        );
    }

    #[test]
    fn what_would_be_anybody_is_no_rule() {
        assert!(IdentityRule::new("", ISSUER).is_err() && IdentityRule::new("**", ISSUER).is_err());
        assert!(
            IdentityRule::new("a@acme.example", "").is_err()
                && IdentityRule::new("a@acme.example", "https://*").is_err()
        );
    }

    /// A signer's name from a certificate is never used as a pattern.
    #[test]
    fn a_signer_with_a_star_in_its_name_is_only_itself() {
        let star = Signer::Identity(Identity {
            identity: "*@acme.example".to_owned(),
            issuer: ISSUER.to_owned(),
        });
        let other = Signer::Identity(Identity {
            identity: "a@acme.example".to_owned(),
            issuer: ISSUER.to_owned(),
        });
        assert!(SignerRule::Only(star.clone()).matches(&star));
        assert!(!SignerRule::Only(star).matches(&other));
    }
}

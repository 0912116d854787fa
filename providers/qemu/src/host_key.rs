//! The host key of a new machine, generated in advance so that even the first connection is
//! verified.

use pallet_core::prelude::*;
use ssh_key::{Algorithm, LineEnding, PrivateKey};

/// A host key.
pub(crate) struct HostKey {
    /// In OpenSSH's file format.
    pub(crate) private: String,
    /// `ssh-ed25519 AAAA...`
    pub(crate) public: String,
}

impl HostKey {
    /// Generates a host key.
    pub(crate) fn generate() -> Result<HostKey> {
        let key = PrivateKey::random(&mut ssh_key::rand_core::OsRng, Algorithm::Ed25519);
        let texts = key
            .and_then(|key| Ok((key.to_openssh(LineEnding::LF)?, key.public_key().to_openssh()?)));
        let (private, public) =
            texts.map_err(|error| anyhow!("cannot make a host key: {error}"))?;
        Ok(HostKey { private: private.as_str().to_owned(), public })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_that_openssh_reads() {
        let key = HostKey::generate().unwrap();
        assert!(
            key.private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n")
                && key.private.ends_with("-----\n")
        );
        let words: Vec<_> = key.public.split(' ').collect();
        assert!(
            matches!(words[..], ["ssh-ed25519", body] if body.starts_with("AAAA")),
            "{}",
            key.public
        );
        let private = PrivateKey::from_openssh(&key.private).unwrap();
        assert_eq!(private.public_key().to_openssh().unwrap(), key.public);
        assert_ne!(HostKey::generate().unwrap().public, key.public);
    }
}

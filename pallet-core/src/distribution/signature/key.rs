//! Keys that sign plugins: ECDSA on P-256, as cosign creates them, or Ed25519; in PEM, as OpenSSL
//! reads and writes it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::{Signer, Verifier};
use p256::pkcs8::{
    DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding,
};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use thiserror::Error;

use crate::distribution::artifact::Digest;
use crate::model::hex;

/// The algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256 with SHA-256: all of Sigstore's tools can verify it.
    EcdsaP256,
    /// Ed25519.
    Ed25519,
}

/// A private key.
pub enum SigningKey {
    /// ECDSA on P-256.
    EcdsaP256(Box<p256::ecdsa::SigningKey>),
    /// Ed25519.
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

/// A public key. Displays as `key:<hex>`, its fingerprint.
#[derive(Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// ECDSA on P-256.
    EcdsaP256(Box<p256::ecdsa::VerifyingKey>),
    /// Ed25519.
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

/// Why a key cannot be used. Each error is one line.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KeyError {
    /// It is encrypted.
    #[error("the key is encrypted; its passphrase is needed")]
    NeedsPassphrase,
    /// The passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// Any other error.
    #[error("{0}")]
    Other(String),
}

impl SigningKey {
    /// Generates a key.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        loop {
            let mut seed = [0; 32];
            fill_randomly(&mut seed)?;
            match algorithm {
                KeyAlgorithm::Ed25519 => {
                    return Ok(SigningKey::Ed25519(Box::new(
                        ed25519_dalek::SigningKey::from_bytes(&seed),
                    )));
                }
                // about one seed in 2^32 is not below the order of the curve: try again
                KeyAlgorithm::EcdsaP256 => {
                    if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&seed) {
                        return Ok(SigningKey::EcdsaP256(Box::new(key)));
                    }
                }
            }
        }
    }

    /// Parses a key in PEM (PKCS #8), encrypted or not.
    pub fn parse(pem: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let unknown = |why: &str| {
            KeyError::Other(format!(
                "{why}; write the key in PKCS #8, as `pallet-cli generate-key` does"
            ))
        };
        if pem.contains("ENCRYPTED SIGSTORE PRIVATE KEY")
            || pem.contains("ENCRYPTED COSIGN PRIVATE KEY")
        {
            return Err(unknown("a private key in cosign's own format cannot be read"));
        }
        let (label, document) = SecretDocument::from_pem(pem.trim())
            .map_err(|error| unknown(&format!("this is not a private key in PEM: {error}")))?;
        let document = match label {
            "PRIVATE KEY" => document,
            "ENCRYPTED PRIVATE KEY" => {
                let passphrase = passphrase.ok_or(KeyError::NeedsPassphrase)?;
                let encrypted = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                    .map_err(|error| unknown(&error.to_string()))?;
                encrypted.decrypt(passphrase).map_err(|_| KeyError::WrongPassphrase)?
            }
            other => return Err(unknown(&format!("this is a {other}"))),
        };
        let der = document.as_bytes();
        if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_der(der) {
            return Ok(SigningKey::EcdsaP256(Box::new(key)));
        }
        match ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            Ok(key) => Ok(SigningKey::Ed25519(Box::new(key))),
            Err(_) => Err(unknown("the key is neither ECDSA on P-256 nor Ed25519")),
        }
    }

    /// The key in PEM (PKCS #8), encrypted if there is a passphrase.
    pub fn to_pem(&self, passphrase: Option<&str>) -> Result<String, KeyError> {
        let pem = match (self, passphrase) {
            (SigningKey::EcdsaP256(key), None) => key.to_pkcs8_pem(LineEnding::LF),
            (SigningKey::EcdsaP256(key), Some(passphrase)) => {
                key.to_pkcs8_encrypted_pem(passphrase, LineEnding::LF)
            }
            (SigningKey::Ed25519(key), None) => key.to_pkcs8_pem(LineEnding::LF),
            (SigningKey::Ed25519(key), Some(passphrase)) => {
                key.to_pkcs8_encrypted_pem(passphrase, LineEnding::LF)
            }
        };
        pem.map(|pem| pem.to_string())
            .map_err(|error| KeyError::Other(format!("the key cannot be written: {error}")))
    }

    /// The public key.
    pub fn public(&self) -> PublicKey {
        match self {
            SigningKey::EcdsaP256(key) => PublicKey::EcdsaP256(Box::new(*key.verifying_key())),
            SigningKey::Ed25519(key) => PublicKey::Ed25519(Box::new(key.verifying_key())),
        }
    }

    /// Signs a message. ECDSA signatures are in DER.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            SigningKey::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_der().as_bytes().to_vec()
            }
            SigningKey::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }
}

impl PublicKey {
    /// Whether the signature of the message is valid.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            PublicKey::EcdsaP256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            PublicKey::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }

    /// The key in PEM.
    pub fn to_pem(&self) -> String {
        let body = STANDARD.encode(self.der());
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap_or_default())
            .collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
    }

    /// The key in one line: the body of the PEM.
    pub fn to_line(&self) -> String {
        STANDARD.encode(self.der())
    }

    /// The SHA-256 digest of the key's DER form, which Sigstore's tools use to identify keys.
    pub fn fingerprint(&self) -> [u8; 32] {
        *Digest::of(&self.der()).bytes()
    }

    fn der(&self) -> Vec<u8> {
        let der = match self {
            PublicKey::EcdsaP256(key) => key.to_public_key_der(),
            PublicKey::Ed25519(key) => key.to_public_key_der(),
        };
        der.map(|der| der.as_bytes().to_vec()).unwrap_or_default()
    }
}

/// Parses a key in PEM, or the body of the PEM in one line.
impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let body: String =
            text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let wrong = || {
            KeyError::Other(
                "this is not a public key: write PEM, or its body in one line".to_owned(),
            )
        };
        let der = STANDARD.decode(body).map_err(|_| wrong())?;
        if text.contains("PRIVATE KEY") {
            return Err(KeyError::Other(
                "this is a private key, but a public key is needed".to_owned(),
            ));
        }
        if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(&der) {
            return Ok(PublicKey::EcdsaP256(Box::new(key)));
        }
        match ed25519_dalek::VerifyingKey::from_public_key_der(&der) {
            Ok(key) => Ok(PublicKey::Ed25519(Box::new(key))),
            Err(_) => Err(KeyError::Other(
                "this is not a public key of ECDSA on P-256 or of Ed25519".to_owned(),
            )),
        }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key:{}", hex(&self.fingerprint()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Shows the public key, never the private one.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

fn fill_randomly(bytes: &mut [u8]) -> Result<(), KeyError> {
    getrandom::fill(bytes)
        .map_err(|error| KeyError::Other(format!("cannot get random numbers: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_written_and_read_alike() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519] {
            let key = SigningKey::generate(algorithm).unwrap();
            let public = key.public();
            assert_eq!(
                SigningKey::parse(&key.to_pem(None).unwrap(), None).unwrap().public(),
                public
            );
            assert_eq!(public.to_pem().parse(), Ok(public.clone()));
            assert_eq!(public.to_line().parse(), Ok(public.clone()));
            assert!(public.verifies(b"message", &key.sign(b"message")));
            assert!(!public.verifies(b"massage", &key.sign(b"message")));
            assert!(!format!("{key:?}").contains("PRIVATE"));
        }
    }

    #[test]
    fn an_encrypted_key_wants_its_passphrase() {
        let pem = SigningKey::generate(KeyAlgorithm::Ed25519)
            .unwrap()
            .to_pem(Some("three words here"))
            .unwrap();
        assert_eq!(SigningKey::parse(&pem, None).unwrap_err(), KeyError::NeedsPassphrase);
        assert_eq!(
            SigningKey::parse(&pem, Some("two words")).unwrap_err(),
            KeyError::WrongPassphrase
        );
        assert!(SigningKey::parse(&pem, Some("three words here")).is_ok());
    }

    #[test]
    fn what_is_no_key_is_said_in_one_line() {
        let private = SigningKey::generate(KeyAlgorithm::Ed25519).unwrap().to_pem(None).unwrap();
        for text in ["", "nonsense", "AAAA", &private] {
            assert!(!text.parse::<PublicKey>().unwrap_err().to_string().contains('\n'));
        }
        for text in [
            "",
            "nonsense",
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n\
            -----END EC PRIVATE KEY-----\n",
        ] {
            assert!(!SigningKey::parse(text, None).unwrap_err().to_string().contains('\n'));
        }
    }
}

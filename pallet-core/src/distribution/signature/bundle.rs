//! Sigstore's bundle, version 0.3, with an in-toto statement, as `cosign sign --key` writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Identity, PublicKey, SigningKey, TrustedRoot};
use crate::distribution::artifact::{Digest, media};
use crate::model::hex;

/// The predicate of the statement: the subject was signed.
pub(super) const PREDICATE: &str = "https://sigstore.dev/cosign/sign/v1";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PAYLOAD: &str = "application/vnd.in-toto+json";

/// The bytes of a bundle in which `key` signs the manifest with this digest.
pub(super) fn make(digest: &Digest, key: &SigningKey) -> Vec<u8> {
    let statement = json!({
        "_type": STATEMENT,
        "subject": [{ "digest": { "sha256": digest.hex() } }],
        "predicateType": PREDICATE,
        "predicate": {},
    });
    let payload = statement.to_string().into_bytes();
    let signature = key.sign(&pre_authentication(PAYLOAD, &payload));
    let bundle = json!({
        "mediaType": media::BUNDLE,
        "verificationMaterial": {
            "publicKey": { "hint": STANDARD.encode(key.public().fingerprint()) }
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": PAYLOAD,
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        },
    });
    bundle.to_string().into_bytes()
}

/// A parsed bundle. It is not verified.
#[derive(Debug)]
pub(super) struct Bundle {
    content: Vec<u8>,
    /// Whether it has a certificate.
    certified: bool,
    /// Its name for the key.
    hint: Option<Vec<u8>>,
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Vec<u8>>,
}

impl Bundle {
    /// Parses a bundle; `None` if it is invalid, or contains something other than an envelope.
    pub(super) fn parse(content: &[u8]) -> Option<Self> {
        let bundle: Value = serde_json::from_slice(content).ok()?;
        let bytes = |value: &Value| STANDARD.decode(value.as_str()?).ok();
        let (envelope, material) = (&bundle["dsseEnvelope"], &bundle["verificationMaterial"]);
        Some(Bundle {
            content: content.to_owned(),
            certified: ["certificate", "x509CertificateChain"]
                .iter()
                .any(|key| material.get(key).is_some()),
            hint: bytes(&material["publicKey"]["hint"]),
            payload_type: envelope["payloadType"].as_str()?.to_owned(),
            payload: bytes(&envelope["payload"])?,
            signatures: envelope["signatures"]
                .as_array()?
                .iter()
                .filter_map(|signature| bytes(&signature["sig"]))
                .collect(),
        })
    }

    /// Whether this key signed a statement about the manifest with this digest.
    pub(super) fn is_signed_by(&self, key: &PublicKey, digest: &Digest) -> bool {
        let message = pre_authentication(&self.payload_type, &self.payload);
        self.payload_type == PAYLOAD
            && self.signatures.iter().any(|signature| key.verifies(&message, signature))
            && self.is_about(digest)
    }

    /// The identity in its certificate, if that signed a statement about the manifest with this
    /// digest; else why not. `None` if it has no certificate.
    pub(super) fn identity(
        &self,
        digest: &Digest,
        root: &TrustedRoot,
    ) -> Option<Result<Identity, String>> {
        self.certified.then(|| match self.is_about(digest) {
            true => root.identity(&self.content, digest),
            false => Err("it signs something else".to_owned()),
        })
    }

    fn is_about(&self, digest: &Digest) -> bool {
        let Ok(statement) = serde_json::from_slice::<Value>(&self.payload) else { return false };
        let subjects = statement["subject"].as_array().map(Vec::as_slice).unwrap_or_default();
        statement["_type"] == STATEMENT
            && statement["predicateType"] == PREDICATE
            && subjects.iter().any(|subject| subject["digest"]["sha256"] == digest.hex().as_str())
    }

    /// The key that it names. It is not verified.
    pub(super) fn key(&self) -> String {
        match &self.hint {
            Some(fingerprint) if fingerprint.len() == 32 => format!("key:{}", hex(fingerprint)),
            Some(hint) => format!("the key {:?}", String::from_utf8_lossy(hint)),
            None => "a key without a name".to_owned(),
        }
    }
}

/// The signed bytes of a DSSE envelope: the type and the payload, each after its length.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message =
        format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend(payload);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_bundle_is_none() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"dsseEnvelope":{"payloadType":"a","payload":"%%"}}"#,
            r#"{"messageSignature":{}}"#,
        ] {
            assert!(Bundle::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn the_message_has_the_lengths_of_its_parts() {
        assert_eq!(
            pre_authentication("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }
}

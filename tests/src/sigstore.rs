//! A Sigstore instance without its services: a certificate authority, a certificate log, and a
//! signature log.
//!
//! It creates what a client of the real one receives and puts into a bundle. Its dates are in 2024,
//! so that nothing depends on the time of the test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
    SigningKey, date_time_ymd,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The extension with Fulcio's issuer.
const ISSUER: [u64; 9] = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
/// The extension with certificate timestamps (RFC 6962).
const TIMESTAMPS: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
const PAYLOAD: &str = "application/vnd.in-toto+json";
const ORIGIN: &str = "log.example";
const START: &str = "2024-01-01T00:00:00Z";

/// An instance.
#[derive(Debug)]
pub struct Sigstore {
    authority: KeyPair,
    certificates: KeyPair,
    signatures: KeyPair,
}

impl Sigstore {
    /// Noon of the day on which its certificates are valid, in seconds since 1970-01-01 UTC.
    pub const NOON: i64 = 1_714_564_800;

    /// An instance with keys of its own.
    pub fn new() -> Self {
        let key = || KeyPair::generate().unwrap();
        Sigstore { authority: key(), certificates: key(), signatures: key() }
    }

    /// The `trusted_root.json` for clients that trust it.
    pub fn trusted_root(&self) -> String {
        let log = |key: &KeyPair| {
            json!({
                "baseUrl": format!("https://{ORIGIN}"),
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": STANDARD.encode(key.subject_public_key_info()),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": { "start": START },
                },
                "logId": { "keyId": STANDARD.encode(id(key)) },
            })
        };
        let authority = authority().self_signed(&self.authority).unwrap();
        let root = json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log(&self.signatures)],
            "ctlogs": [log(&self.certificates)],
            "certificateAuthorities": [{
                "subject": { "organization": "example", "commonName": "authority" },
                "uri": "https://authority.example",
                "certChain": { "certificates": [
                    { "rawBytes": STANDARD.encode(authority.der()) }
                ] },
                "validFor": { "start": START },
            }],
            "timestampAuthorities": [],
        });
        root.to_string()
    }

    /// The bundle that `cosign sign` creates for a manifest with this digest (in hexadecimal),
    /// signed by this identity.
    pub fn sign(&self, digest: &str, identity: &str, issuer: &str) -> Value {
        self.sign_at(digest, identity, issuer, Sigstore::NOON)
    }

    /// The same, with the time (in seconds since 1970-01-01 UTC) of the log entry.
    pub fn sign_at(&self, digest: &str, identity: &str, issuer: &str, time: i64) -> Value {
        let key = KeyPair::generate().unwrap();
        let certificate = self.certificate(&key, identity, issuer);
        let payload = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": digest } }],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        })
        .to_string();
        let signature = STANDARD.encode(
            key.sign(
                format!("DSSEv1 {} {PAYLOAD} {} {payload}", PAYLOAD.len(), payload.len())
                    .as_bytes(),
            )
            .unwrap(),
        );
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": {
                "certificate": { "rawBytes": STANDARD.encode(certificate.der()) },
                "tlogEntries": [self.entry(&payload, &signature, &certificate, time)],
            },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": PAYLOAD,
                "signatures": [{ "sig": signature }],
            },
        })
    }

    /// A certificate with a timestamp of the certificate log. The timestamp is a promise to log the
    /// certificate without it.
    fn certificate(&self, key: &KeyPair, identity: &str, issuer: &str) -> Certificate {
        let mut parameters = CertificateParams::default();
        parameters.not_before = date_time_ymd(2024, 5, 1);
        parameters.not_after = date_time_ymd(2024, 5, 2);
        parameters.subject_alt_names = vec![match identity.contains("://") {
            true => SanType::URI(identity.try_into().unwrap()),
            false => SanType::Rfc822Name(identity.try_into().unwrap()),
        }];
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        parameters.custom_extensions =
            vec![CustomExtension::from_oid_content(&ISSUER, der(0x0c, issuer.as_bytes()))];
        let authority = Issuer::new(authority(), &self.authority);
        let promised = parameters.signed_by(key, &authority).unwrap();

        let milliseconds = (Sigstore::NOON as u64 * 1000).to_be_bytes();
        let mut message = [
            &[0, 0],
            &milliseconds[..],
            &[0, 1],
            &Sha256::digest(self.authority.subject_public_key_info())[..],
        ]
        .concat();
        message.extend(sized(3, to_be_signed(promised.der())));
        message.extend([0, 0]);
        let signature = self.certificates.sign(&message).unwrap();
        let timestamp = [
            &[0],
            &id(&self.certificates)[..],
            &milliseconds,
            &[0, 0, 4, 3],
            &sized(2, &signature),
        ]
        .concat();
        let list = sized(2, &sized(2, &timestamp));
        parameters
            .custom_extensions
            .push(CustomExtension::from_oid_content(&TIMESTAMPS, der(0x04, &list)));
        parameters.signed_by(key, &authority).unwrap()
    }

    /// The entry in the signature log: one of two, with the path to the root, which the log signs,
    /// and the log's promise.
    fn entry(&self, payload: &str, signature: &str, certificate: &Certificate, time: i64) -> Value {
        let hash =
            |text: &str| json!({ "algorithm": "sha256", "value": hex(&Sha256::digest(text)) });
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash("what was sent"),
                "payloadHash": hash(payload),
                "signatures": [{
                    "signature": signature, "verifier": STANDARD.encode(certificate.pem()),
                }],
            },
        });
        let body = body.to_string();
        let leaf = Sha256::digest([&[0], body.as_bytes()].concat());
        let other = Sha256::digest(b"\0another entry");
        let root = Sha256::digest([&[1], &leaf[..], &other[..]].concat());
        let note = format!("{ORIGIN}\n2\n{}\n", STANDARD.encode(root));
        let signed =
            [&id(&self.signatures)[..4], &self.signatures.sign(note.as_bytes()).unwrap()].concat();
        let body = STANDARD.encode(body);
        let promise = format!(
            r#"{{"body":"{body}","integratedTime":{time},"logID":"{}","logIndex":0}}"#,
            hex(&id(&self.signatures))
        );
        let promised = self.signatures.sign(promise.as_bytes()).unwrap();
        json!({
            "logIndex": "0",
            "logId": { "keyId": STANDARD.encode(id(&self.signatures)) },
            "kindVersion": { "kind": "dsse", "version": "0.0.1" },
            "integratedTime": time.to_string(),
            "inclusionPromise": {
                "signedEntryTimestamp": STANDARD.encode(promised)
            },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": STANDARD.encode(root),
                "treeSize": "2",
                "hashes": [STANDARD.encode(other)],
                "checkpoint": { "envelope": format!(
                    "{note}\n\u{2014} {ORIGIN} {}\n", STANDARD.encode(signed)
                ) },
            },
            "canonicalizedBody": body,
        })
    }
}

impl Default for Sigstore {
    fn default() -> Self {
        Sigstore::new()
    }
}

fn authority() -> CertificateParams {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name.push(DnType::CommonName, "authority");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters.not_before = date_time_ymd(2024, 1, 1);
    parameters.not_after = date_time_ymd(2034, 1, 1);
    parameters
}

/// The id of a log.
fn id(key: &KeyPair) -> [u8; 32] {
    Sha256::digest(key.subject_public_key_info()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value with its length before it, in this many bytes.
fn sized(width: usize, value: &[u8]) -> Vec<u8> {
    [&value.len().to_be_bytes()[size_of::<usize>() - width..], value].concat()
}

/// An ASN.1 value of at most 65,535 bytes.
fn der(tag: u8, value: &[u8]) -> Vec<u8> {
    let length = match value.len() {
        0..128 => vec![value.len() as u8],
        _ => [&[0x82], &sized(2, value)[..2]].concat(),
    };
    [&[tag], &length[..], value].concat()
}

/// The signed part of a certificate, which is its first part. Both have lengths that need exactly
/// two bytes.
fn to_be_signed(certificate: &[u8]) -> &[u8] {
    let inner = &certificate[4..];
    assert_eq!((certificate[1], inner[1]), (0x82, 0x82));
    &inner[..4 + usize::from(u16::from_be_bytes([inner[2], inner[3]]))]
}

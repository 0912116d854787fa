//! A private key file: the key, whether it has a passphrase, and the files beside it.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::Secret;
use super::host_key::key_type;

/// The suffix of certificate types.
pub(super) const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// A key, as read from its files.
#[derive(Debug, Clone)]
pub(super) struct KeyFile {
    pub(super) path: PathBuf,
    /// The private key; `None` if the file holds only the public key and an agent has the private
    /// one.
    pub(super) private: Option<Secret>,
    /// Whether the key has a passphrase.
    pub(super) locked: bool,
    /// The public key, as `type base64`.
    pub(super) public: Option<String>,
    /// Its certificates, as `type base64`. The one beside the key file comes first.
    pub(super) certificates: Vec<String>,
}

impl KeyFile {
    /// Reads a key; `None` if the file does not exist.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, String> {
        let text = match fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        let beside = |suffix: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(suffix);
            fs::read_to_string(name).ok().and_then(|text| public_line(&text))
        };
        let mut key = KeyFile {
            path: path.to_owned(),
            private: None,
            locked: false,
            public: None,
            certificates: Vec::new(),
        };
        key.certificates.extend(beside("-cert.pub"));
        if let Some(public) = public_line(&text) {
            key.public = Some(public);
            return Ok(Some(key));
        }
        if !text.contains("PRIVATE KEY-----") {
            return Err("it is not a private key".to_owned());
        }
        key.public = beside(".pub");
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            let (locked, public) = open_ssh(&text).ok_or("it is damaged")?;
            key.locked = locked;
            key.public = Some(public);
        } else {
            key.locked = text.contains("BEGIN ENCRYPTED PRIVATE KEY")
                || text
                    .lines()
                    .any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"));
        }
        key.private = Some(Secret::new(text));
        Ok(Some(key))
    }

    /// The bytes of the public key, which identify the key in an agent.
    pub(super) fn blob(&self) -> Option<Vec<u8>> {
        blob(self.public.as_ref()?)
    }

    /// Whether the key is on a security key that must be touched, which only an agent supports.
    pub(super) fn needs_hardware(&self) -> bool {
        self.public.as_ref().is_some_and(|public| public.starts_with("sk-"))
    }
}

/// The bytes of `type base64`.
pub(super) fn blob(line: &str) -> Option<Vec<u8>> {
    STANDARD.decode(line.split_whitespace().nth(1)?).ok()
}

/// Reads a certificate, as `type base64`.
pub(super) fn read_certificate(path: &Path) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "it does not exist".to_owned(),
        _ => error.to_string(),
    })?;
    public_line(&text)
        .filter(|line| line.contains(CERTIFICATE))
        .ok_or_else(|| "it is not a certificate".to_owned())
}

/// The public key that a certificate certifies; `None` if the bytes are not a certificate.
pub(super) fn certified(certificate: &[u8]) -> Option<Vec<u8>> {
    let (kind, rest) = field(certificate)?;
    let kind = std::str::from_utf8(kind).ok()?.strip_suffix(CERTIFICATE)?;
    let (_nonce, mut rest) = field(rest)?;
    let mut parts = vec![kind.as_bytes()];
    // the number of public fields of this type of key
    for _ in 0..if kind == "ssh-ed25519" { 1 } else { 2 } {
        let (part, behind) = field(rest)?;
        parts.push(part);
        rest = behind;
    }
    let mut key = Vec::new();
    for part in parts {
        key.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        key.extend(part);
    }
    Some(key)
}

/// Extracts `type base64` from a line with a public key or a certificate.
fn public_line(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let (kind, data) = (words.next()?, words.next()?);
    let blob = STANDARD.decode(data).ok()?;
    (key_type(&blob)? == kind).then(|| format!("{kind} {data}"))
}

/// Whether a key in OpenSSH's format is encrypted, and its public key, which never is.
fn open_ssh(text: &str) -> Option<(bool, String)> {
    let body = text.split_once("-----BEGIN OPENSSH PRIVATE KEY-----")?.1.split_once("-----END")?.0;
    let bytes = STANDARD.decode(body.split_whitespace().collect::<String>()).ok()?;
    let rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    let (cipher, rest) = field(rest)?;
    let (_kdf, rest) = field(rest)?;
    let (_kdf_options, rest) = field(rest)?;
    let (_count, rest) = rest.split_first_chunk::<4>()?;
    let (public, _) = field(rest)?;
    Some((cipher != b"none", format!("{} {}", key_type(public)?, STANDARD.encode(public))))
}

fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_be_bytes(*length) as usize)
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::{KeyFile, blob, certified, read_certificate};

    fn generate(path: &Path, options: &[&str]) -> KeyFile {
        let made = Command::new("ssh-keygen")
            .args(["-q", "-C", "", "-f"])
            .arg(path)
            .args(options)
            .output()
            .expect("ssh-keygen runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        KeyFile::read(path).expect("it is a key").expect("it is there")
    }

    #[test]
    fn tells_what_a_key_file_is() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        let cases: [(&str, &[&str], bool); 5] = [
            ("plain", &["-t", "ed25519", "-N", ""], false),
            ("locked", &["-t", "ed25519", "-N", "secret", "-a", "1"], true),
            ("ecdsa", &["-t", "ecdsa", "-N", ""], false),
            ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret"], true),
            ("pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "secret"], true),
        ];
        for (name, options, locked) in cases {
            let key = generate(&at(name), options);
            assert_eq!(
                (key.locked, key.private.is_some(), !key.certificates.is_empty()),
                (locked, true, false),
                "{name}"
            );
            let public = KeyFile::read(&at(&format!("{name}.pub")))
                .expect("it is a key")
                .expect("it is there");
            assert_eq!((key.blob(), public.private.is_none()), (public.blob(), true), "{name}");
            assert!(key.blob().is_some());
        }
        assert!(KeyFile::read(&at("absent")).expect("no matter").is_none());
        std::fs::write(at("text"), "hello").expect("written");
        assert_eq!(KeyFile::read(&at("text")).expect_err("no key"), "it is not a private key");
        std::fs::write(
            at("cut"),
            "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n\
            -----END OPENSSH PRIVATE KEY-----\n",
        )
        .expect("written");
        assert_eq!(KeyFile::read(&at("cut")).expect_err("no key"), "it is damaged");
    }

    #[test]
    fn tells_which_key_a_certificate_is_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let at = |name: &str| dir.path().join(name);
        generate(&at("ca"), &["-t", "ed25519", "-N", ""]);
        for (name, options) in
            [("ed25519", vec![]), ("ecdsa", vec!["-b", "384"]), ("rsa", vec!["-b", "2048"])]
        {
            generate(&at(name), &[vec!["-t", name, "-N", ""], options].concat());
            let public = at(&format!("{name}.pub"));
            let signed = Command::new("ssh-keygen")
                .args(["-q", "-I", "test", "-s"])
                .arg(at("ca"))
                .arg(public)
                .output()
                .expect("ssh-keygen runs");
            assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
            let key = KeyFile::read(&at(name)).expect("it is a key").expect("it is there");
            let certificate =
                read_certificate(&at(&format!("{name}-cert.pub"))).expect("it is one");
            assert_eq!(key.certificates, std::slice::from_ref(&certificate), "{name}");
            assert_eq!(certified(&blob(&certificate).expect("it has bytes")), key.blob(), "{name}");
            assert_eq!(certified(&key.blob().expect("it has bytes")), None, "{name}");
        }
        assert_eq!(
            read_certificate(&at("ca.pub")).expect_err("it is none"),
            "it is not a certificate"
        );
        assert_eq!(read_certificate(&at("absent")).expect_err("it is none"), "it does not exist");
    }
}

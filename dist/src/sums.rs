//! Checksums, and their signature.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context as _;
use pallet_core::distribution::artifact::Digest;
use pallet_core::distribution::signature::SigningKey;

/// The lines that `sha256sum --check` reads.
pub(crate) fn sums(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = String::new();
    for (name, content) in files {
        let _ = writeln!(out, "{}  {name}", digest(content));
    }
    out.into_bytes()
}

/// The SHA-256 digest in hexadecimal.
pub(crate) fn digest(content: &[u8]) -> String {
    Digest::of(content).bytes().iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The signature by the private key in a file, and the public key in PEM.
pub(crate) fn sign(key: &Path, content: &[u8]) -> anyhow::Result<(Vec<u8>, String)> {
    let pem =
        std::fs::read_to_string(key).with_context(|| format!("cannot read {}", key.display()))?;
    let passphrase = std::env::var("PALLET_KEY_PASSPHRASE").ok();
    let key = SigningKey::parse(&pem, passphrase.as_deref())
        .with_context(|| format!("cannot use the key in {}", key.display()))?;
    Ok((key.sign(content), key.public().to_pem()))
}

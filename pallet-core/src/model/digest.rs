//! Names content by its digest.

use sha2::Digest;

/// The SHA-256 digest of some content, in hexadecimal.
pub fn digest(content: &[u8]) -> String {
    sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

//! SHA-256 digests of content.

use sha2::Digest;

/// The SHA-256 digest of some content, in hexadecimal.
pub fn digest(content: &[u8]) -> String {
    hex(&sha2::Sha256::digest(content))
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    base16ct::lower::encode_string(bytes)
}

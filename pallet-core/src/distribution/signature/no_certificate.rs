//! Replaces [`certificate`](super) in a build without the feature `registries`: it trusts no
//! certificate, and the error says how to get a build that verifies them.

use super::Identity;
use crate::distribution::artifact::Digest;

const NOT_BUILT: &str = "this pallet-cli was built without certificates; build it with `cargo \
    build --release -p pallet-cli --features registries`, or install a release";

/// The trusted authorities, logs and timestamp services: none.
#[derive(Debug, Clone, Default)]
pub struct TrustedRoot(());

impl TrustedRoot {
    /// Always fails. The error says how to get a build that can read a root.
    pub fn from_json(_json: &str) -> Result<Self, String> {
        Err(NOT_BUILT.to_owned())
    }

    pub(super) fn identity(&self, _bundle: &[u8], _digest: &Digest) -> Result<Identity, String> {
        Err(NOT_BUILT.to_owned())
    }
}

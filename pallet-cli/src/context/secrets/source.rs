//! What places of secrets have in common.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cache::SecretCache;
use super::found::Found;
use crate::process::expand;
#[cfg(feature = "vault")]
use crate::project::config::VaultConfig;

/// For how long a value is used before a later operation looks it up again.
pub(in crate::context) const TTL: Duration = Duration::from_secs(300);

/// Finds the values of secrets.
#[derive(Debug, Clone)]
pub(crate) struct SecretFinder {
    /// The base of relative paths, and the working directory of commands.
    pub(in crate::context) directory: PathBuf,
    /// The home directory, for `~`.
    pub(in crate::context) home: PathBuf,
    /// Files with age identities.
    pub(in crate::context) identities: Vec<PathBuf>,
    /// For how long values are used, if a secret does not say it.
    pub(in crate::context) ttl: Duration,
    /// The server of secrets in Vault.
    #[cfg(feature = "vault")]
    pub(in crate::context) vault: VaultConfig,
    /// What was looked up before.
    pub(in crate::context) cache: SecretCache,
}

/// A place where a secret is kept.
pub(super) trait Source {
    /// Its name for messages.
    fn shown(&self) -> String;

    /// What is found there.
    fn look_up(&self) -> anyhow::Result<Found>;

    /// Checks what can be checked without running a command, decrypting or asking a server.
    fn check(&self) -> anyhow::Result<()> {
        Ok(())
    }

    /// What tells it from all other places, if what is found there is kept for a while; else it is
    /// looked up each time.
    fn identity(&self) -> Option<String> {
        None
    }
}

impl SecretFinder {
    /// A path that pallet.toml names.
    pub(super) fn path(&self, path: &Path) -> PathBuf {
        self.directory.join(expand(path, &self.home))
    }
}

/// How to get a program that has a feature.
#[cfg(not(all(feature = "age", feature = "vault", feature = "aws")))]
pub(super) fn absent(feature: &str) -> String {
    format!(
        "this pallet-cli was built without {feature}; build it with `cargo build -p pallet-cli \
         --features {feature}`"
    )
}

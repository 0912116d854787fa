//! Why a plugin cannot be installed. Each error is one line.

use semver::VersionReq;
use thiserror::Error;

use crate::distribution::artifact::{ArtifactError, Digest};
use crate::distribution::lock::{LockError, Origin};
use crate::distribution::resolve::Conflict;
use crate::distribution::store::{CollectError, StoreError};
use crate::distribution::trust::TrustError;

/// Why a plugin cannot be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// An error of a repository or an artifact.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// An error of the store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An error of collecting the store.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// An error of the lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Its signer is not trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// No set of versions satisfies all requirements.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// The plugin has no known source.
    #[error(
        "plugin {name} {requirement} has no source; set its `source` in pallet.toml, or set \
         `registry` there"
    )]
    NoSource {
        /// Its name.
        name: String,
        /// The versions that are requested.
        requirement: VersionReq,
    },
    /// There is no such plugin at its source.
    #[error("there is no plugin {name} at {}{}", places.join(", nor at "), required(by))]
    Missing {
        /// Its name.
        name: String,
        /// The places that were searched.
        places: Vec<String>,
        /// The plugin that requires it.
        by: Option<String>,
    },
    /// The content at the origin is wrong.
    #[error("{origin}: {message}")]
    Wrong {
        /// Where.
        origin: Origin,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A published version was replaced.
    #[error(
        "{plugin} from {origin} is not what pallet.lock has: {found} there, {locked} here; \
         somebody replaced a published version: ask its publisher; if the change is right, \
         `pallet-cli uninstall` it and install it again"
    )]
    Replaced {
        /// The plugin, with its version.
        plugin: String,
        /// Its source.
        origin: Origin,
        /// The digest there.
        found: Digest,
        /// The digest in the lock.
        locked: Digest,
    },
    /// A locked plugin has no build for this machine.
    #[error("{plugin} has no build for {target}, only for {}; `pallet-cli update {name}` looks for \
        one", there.join(", "))]
    NoBuild {
        /// The plugin, with its version.
        plugin: String,
        /// Its name.
        name: String,
        /// The target of this machine.
        target: String,
        /// The targets that exist.
        there: Vec<String>,
    },
    /// The plugin must be downloaded, but Pallet is offline.
    #[error(
        "{plugin} is not in the store, and --offline allows no other source; name a mirror in a \
            directory, or omit --offline"
    )]
    Offline {
        /// The plugin, with its version, or its source.
        plugin: String,
    },
}

fn required(by: &Option<String>) -> String {
    by.as_ref()
        .map(|by| format!("; {by} requires it: name its source in [plugins] of pallet.toml"))
        .unwrap_or_default()
}

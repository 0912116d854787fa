//! Why something cannot be installed, in one line each.

use semver::VersionReq;
use thiserror::Error;

use crate::distribution::artifact::{ArtifactError, Digest};
use crate::distribution::lock::{LockError, Origin};
use crate::distribution::resolve::Conflict;
use crate::distribution::store::{CollectError, StoreError};
use crate::distribution::trust::TrustError;

/// Why something cannot be installed.
#[derive(Debug, Error)]
pub enum InstallError {
    /// A repository, or what it holds.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the store holds.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The lock.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Nobody trusted signed it.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// There are no versions that everything agrees on.
    #[error("{0}")]
    Conflict(Box<Conflict>),
    /// Nobody says where a plugin is from.
    #[error(
        "nothing says where plugin {name} {requirement} is from; give it a `source` in \
        pallet.toml, or set `registry` there"
    )]
    NoSource {
        /// Its name.
        name: String,
        /// Which versions are asked for.
        requirement: VersionReq,
    },
    /// There is no such plugin at its source.
    #[error("there is no plugin {name} at {}{}", places.join(", nor at "), required(by))]
    Missing {
        /// Its name.
        name: String,
        /// Where it was looked for.
        places: Vec<String>,
        /// What requires it.
        by: Option<String>,
    },
    /// What stands there is not what it should be.
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
         somebody replaced a published version: ask its \
         publisher; if that is right, `pallet-cli uninstall` it and install it again"
    )]
    Replaced {
        /// The plugin, with its version.
        plugin: String,
        /// Where it is from.
        origin: Origin,
        /// The digest there.
        found: Digest,
        /// The digest in the lock.
        locked: Digest,
    },
    /// A locked plugin that has no build for this machine.
    #[error("{plugin} has no build for {target}, only for {}; `pallet-cli update {name}` looks for \
        one", there.join(", "))]
    NoBuild {
        /// The plugin, with its version.
        plugin: String,
        /// Its name.
        name: String,
        /// What it should be for.
        target: String,
        /// What it is for.
        there: Vec<String>,
    },
    /// It would have to come over the network.
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

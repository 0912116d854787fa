//! One plugin in a lock.

use std::collections::BTreeMap;
use std::fmt;

use semver::{Version, VersionReq};
use serde::{Deserialize, Serialize};

use super::origin::Origin;
use crate::distribution::artifact::Digest;
use crate::distribution::resolve::Package;
use crate::distribution::signature::Signer;
use crate::model::PluginKind;

/// A locked version of a plugin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LockedPlugin {
    /// Its kind.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its source.
    pub source: Origin,
    /// The requirement in pallet.toml; `None` if only other plugins require it.
    #[serde(default)]
    pub requirement: Option<VersionReq>,
    /// The crates that it requires.
    #[serde(default)]
    pub requires: BTreeMap<String, VersionReq>,
    /// The digest of its index, which covers all its builds; `None` for a file that was never
    /// published.
    #[serde(default)]
    pub index: Option<Digest>,
    /// The signer of its index.
    #[serde(default)]
    pub signer: Option<Signer>,
    /// A decision to accept it although the configuration does not trust it.
    #[serde(default)]
    pub accepted: Option<Accepted>,
    /// Its builds, by Rust target.
    pub targets: BTreeMap<String, LockedTarget>,
}

/// A build of a plugin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LockedTarget {
    /// The content to download.
    #[serde(flatten)]
    pub content: LockedContent,
    /// The digest of its unpacked files: `h1:<base64>`.
    pub h1: String,
}

/// The digest of a build, and of its directory in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockedContent {
    /// A manifest in a repository.
    Manifest(Digest),
    /// A library, or an archive of one.
    File(Digest),
}

/// What the user explicitly accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accepted {
    /// The plugin has no signature.
    Unsigned,
    /// The configuration does not trust its signer.
    Signer,
}

impl LockedPlugin {
    /// Its kind and name.
    pub fn package(&self) -> Package {
        Package { kind: self.kind, name: self.name.clone() }
    }

    /// Whether `other` is the same version with at least the same builds.
    pub fn grown(&self, other: &LockedPlugin) -> bool {
        self.version == other.version
            && self.source == other.source
            && self.requires == other.requires
            && self.signer == other.signer
            && self.targets.iter().all(|(name, target)| other.targets.get(name) == Some(target))
    }
}

impl LockedContent {
    /// The digest.
    pub fn digest(&self) -> &Digest {
        match self {
            LockedContent::Manifest(digest) | LockedContent::File(digest) => digest,
        }
    }
}

impl fmt::Display for LockedPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

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

/// One version of a plugin, as it was when it was locked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LockedPlugin {
    /// What it is for.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where it is from.
    pub source: Origin,
    /// What pallet.toml asks for; `None` where only other plugins require it.
    #[serde(default)]
    pub requirement: Option<VersionReq>,
    /// The crates that it requires.
    #[serde(default)]
    pub requires: BTreeMap<String, VersionReq>,
    /// The digest of its index, which covers all its builds. None of a file that was never
    /// published.
    #[serde(default)]
    pub index: Option<Digest>,
    /// Who signed its index.
    #[serde(default)]
    pub signer: Option<Signer>,
    /// What somebody decided to accept although no configuration trusts it.
    #[serde(default)]
    pub accepted: Option<Accepted>,
    /// Its builds, by the names that Rust gives to targets.
    pub targets: BTreeMap<String, LockedTarget>,
}

/// A build of a plugin.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LockedTarget {
    /// What is fetched.
    #[serde(flatten)]
    pub content: LockedContent,
    /// The digest of its unpacked files: `h1:<base64>`.
    pub h1: String,
}

/// What a build is fetched by; the name of its directory in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LockedContent {
    /// A manifest in a repository.
    Manifest(Digest),
    /// A file of a library, or an archive of one.
    File(Digest),
}

/// What was accepted by an explicit decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accepted {
    /// That nobody signed it.
    Unsigned,
    /// Its signer, which no configuration trusts.
    Signer,
}

impl LockedPlugin {
    /// Its kind and name.
    pub fn package(&self) -> Package {
        Package { kind: self.kind, name: self.name.clone() }
    }

    /// Whether `other` is the same version with the same builds as this one, and perhaps some more.
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

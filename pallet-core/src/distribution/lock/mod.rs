//! `pallet.lock`: exactly which plugins, from where, with the digests of every build and who signed
//! them.
//!
//! The text is sorted and always written alike, so that a difference of two locks is a difference
//! of plugins.

#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::{fmt, io};

use semver::{Version, VersionReq};
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::artifact::Digest;
use super::repository::Source;
use super::resolve::Package;
use super::signature::Signer;
use crate::model::PluginKind;

pub use text::{remove_leftovers, write_atomically};

/// The name of the file.
pub const LOCK_FILE: &str = "pallet.lock";

/// The version of the format that this Pallet writes.
const FORMAT: u64 = 1;

/// All that is locked, sorted by kind and name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lock {
    plugins: BTreeMap<Package, LockedPlugin>,
}

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
    pub content: Content,
    /// The digest of its unpacked files: `h1:<base64>`.
    pub h1: String,
}

/// What a build is fetched by; the name of its directory in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
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

/// Where a locked plugin is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A repository: `oci://HOST/PATH` or `layout:DIR#PATH`.
    Repository(Source),
    /// A tar of an OCI image layout, or of a plugin's files: `archive:PATH` or
    /// `archive:PATH#REPOSITORY`.
    Archive {
        /// The file.
        file: PathBuf,
        /// The repository in the layout that it holds; empty where it holds one only.
        path: String,
    },
    /// A library: `file:PATH`.
    File(PathBuf),
}

/// A lock that cannot be used.
#[derive(Debug, Error)]
pub enum LockError {
    /// It cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write {}: {error}; it is as it was", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It says what makes no sense.
    #[error("{}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl Lock {
    /// The lock in a file; `None` where there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, LockError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Lock::parse(&text)
                .map(Some)
                .map_err(|message| LockError::Content { path: path.to_owned(), message }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(LockError::Read { path: path.to_owned(), error }),
        }
    }

    /// Replaces the file, so that it is the old one or the new one at every moment. A file that
    /// says the same stays.
    pub fn write(&self, path: &Path) -> Result<(), LockError> {
        let text = self.to_string();
        if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
            return Ok(());
        }
        write_atomically(path, text.as_bytes())
            .map_err(|error| LockError::Write { path: path.to_owned(), error })
    }

    /// All plugins, sorted.
    pub fn plugins(&self) -> impl ExactSizeIterator<Item = &LockedPlugin> {
        self.plugins.values()
    }

    /// One plugin.
    pub fn get(&self, package: &Package) -> Option<&LockedPlugin> {
        self.plugins.get(package)
    }

    /// The plugins of a name: at most one of each kind.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a LockedPlugin> {
        self.plugins.values().filter(move |plugin| plugin.name == name)
    }

    /// Whether nothing is locked.
    pub fn is_empty(&self) -> bool {
        self.plugins.is_empty()
    }

    /// Puts a plugin in, in place of another version.
    pub fn insert(&mut self, plugin: LockedPlugin) {
        self.plugins.insert(plugin.package(), plugin);
    }
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

impl Content {
    /// The digest.
    pub fn digest(&self) -> &Digest {
        match self {
            Content::Manifest(digest) | Content::File(digest) => digest,
        }
    }
}

impl fmt::Display for LockedPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Repository(source) => source.fmt(f),
            Origin::Archive { file, path } if path.is_empty() => {
                write!(f, "archive:{}", file.display())
            }
            Origin::Archive { file, path } => write!(f, "archive:{}#{path}", file.display()),
            Origin::File(file) => write!(f, "file:{}", file.display()),
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(file) = text.strip_prefix("file:") {
            return Ok(Origin::File(file.into()));
        }
        if let Some(rest) = text.strip_prefix("archive:") {
            let (file, path) = rest.rsplit_once('#').unwrap_or((rest, ""));
            return Ok(Origin::Archive { file: file.into(), path: path.to_owned() });
        }
        text.parse()
            .map(Origin::Repository)
            .map_err(|error: super::artifact::ArtifactError| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

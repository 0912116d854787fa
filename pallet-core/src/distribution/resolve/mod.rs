//! Which version of each plugin: one of each, the highest that everything agrees on.
//!
//! A pure function of what is known. Where something must be known that is not, it asks, and is
//! called again with the answer.

mod conflict;
mod search;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use semver::{Version, VersionReq};

use crate::model::{PluginKind, Requirement};
use crate::plugins::kind_word;

pub use conflict::{Chain, Conflict};

/// A plugin without a version: its kind and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Package {
    /// What it is for.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
}

/// What somebody asks for: a project's pallet.toml, or the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// The plugin.
    pub package: Package,
    /// Which versions of it will do.
    pub requirement: VersionReq,
    /// Who asks, as messages name it: `pallet.toml`.
    pub by: String,
}

/// What is known of plugins.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// All versions there are.
    pub versions: BTreeMap<Package, Vec<Version>>,
    /// What single versions require.
    pub releases: BTreeMap<(Package, Version), Release>,
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub enum Release {
    /// It can be used, and requires these crates.
    Fits(Vec<Requirement>),
    /// It cannot be used here, and why: `has no build for aarch64-unknown-linux-gnu`.
    Unfit(String),
}

/// What must be known to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The versions of a plugin, and who requires it; `None`: a root.
    Versions {
        /// The plugin.
        package: Package,
        /// The first that requires it, if it is no root.
        by: Option<(Package, Version)>,
    },
    /// What one version requires.
    Release(Package, Version),
}

/// What comes of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One version of each plugin that is needed.
    Solved(BTreeMap<Package, Version>),
    /// This must be known first.
    Needs(Question),
    /// There is no such set of versions.
    Conflict(Conflict),
}

impl Package {
    /// A crate of this name.
    pub fn config_crate(name: impl Into<String>) -> Self {
        Package { kind: PluginKind::Crate, name: name.into() }
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", kind_word(self.kind), self.name)
    }
}

/// One version of each plugin that `roots` need, also indirectly: a preferred one where it will do,
/// else the highest.
pub fn resolve(roots: &[Root], known: &Known, preferred: &BTreeMap<Package, Version>) -> Answer {
    match search::search(roots, known, preferred) {
        // what is explained is what the highest versions disagree on, not what happened to be
        // preferred
        Answer::Conflict(_) if !preferred.is_empty() => {
            search::search(roots, known, &BTreeMap::new())
        }
        answer => answer,
    }
}

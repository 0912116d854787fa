//! What is known of plugins, and what is asked for.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::package::Package;
use crate::model::Requirement;

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
    pub candidates: BTreeMap<(Package, Version), Candidate>,
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub enum Candidate {
    /// It can be used, and requires these crates.
    Fits(Vec<Requirement>),
    /// It cannot be used here, and why: `has no build for aarch64-unknown-linux-gnu`.
    Unfit(String),
}

//! The input of the resolver: known plugins, and requests.

use std::collections::BTreeMap;

use semver::{Version, VersionReq};

use super::package::Package;
use crate::model::Requirement;

/// A requested plugin, from a project's pallet.toml or the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// The plugin.
    pub package: Package,
    /// The acceptable versions.
    pub requirement: VersionReq,
    /// The requester, for messages: `pallet.toml`.
    pub by: String,
}

/// What is known about plugins so far.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// All versions.
    pub versions: BTreeMap<Package, Vec<Version>>,
    /// The requirements of single versions.
    pub candidates: BTreeMap<(Package, Version), Candidate>,
}

/// One version of a plugin.
#[derive(Debug, Clone, PartialEq)]
pub enum Candidate {
    /// It works here, and requires these crates.
    Fits(Vec<Requirement>),
    /// It does not work here, and why: `has no build for aarch64-unknown-linux-gnu`.
    Unfit(String),
}

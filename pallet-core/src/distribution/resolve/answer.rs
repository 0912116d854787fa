//! What comes of resolving.

use std::collections::BTreeMap;

use semver::Version;

use super::conflict::Conflict;
use super::package::Package;

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
    Candidate(Package, Version),
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

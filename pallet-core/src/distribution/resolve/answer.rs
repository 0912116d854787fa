//! The result of resolving.

use std::collections::BTreeMap;

use semver::Version;

use super::conflict::Conflict;
use super::package::Package;

/// Information that the resolver needs to continue.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    /// The versions of a plugin, and what requires it; `None`: a root.
    Versions {
        /// The plugin.
        package: Package,
        /// The first plugin that requires it; `None` for a root.
        by: Option<(Package, Version)>,
    },
    /// The requirements of one version.
    Candidate(Package, Version),
}

/// The result of resolving.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// One version of each plugin that is needed.
    Solved(BTreeMap<Package, Version>),
    /// The resolver needs this information first.
    Needs(Question),
    /// No set of versions satisfies all requirements.
    Conflict(Conflict),
}

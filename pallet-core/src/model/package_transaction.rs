//! What one call of a package manager does.

use serde::{Deserialize, Serialize};

/// Packages that one call of the package manager installs and removes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageTransaction {
    /// To install, each `name` or `name=version`, whatever the package manager writes.
    pub install: Vec<String>,
    /// To upgrade to the newest version there is.
    pub upgrade: Vec<String>,
    /// To remove.
    pub remove: Vec<String>,
    /// To remove together with their configuration files.
    pub purge: Vec<String>,
    /// How they are installed: only transactions with the same options can be joined.
    pub options: PackageOptions,
}

/// How packages are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageOptions {
    /// Repositories that are used as well; for apt the one release, for apk the one tag, that the
    /// packages come from.
    pub enable: Vec<String>,
    /// Repositories that are not used.
    pub disable: Vec<String>,
    /// The services of the packages are not started.
    pub disable_service_start: bool,
    /// Packages without a signature that can be verified are installed too.
    pub allow_unsigned: bool,
}

impl PackageTransaction {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        [&self.install, &self.upgrade, &self.remove, &self.purge]
            .iter()
            .all(|packages| packages.is_empty())
    }

    /// Does all that `other` does as well; both have the same options.
    pub fn extend(&mut self, other: PackageTransaction) {
        self.install.extend(other.install);
        self.upgrade.extend(other.upgrade);
        self.remove.extend(other.remove);
        self.purge.extend(other.purge);
    }
}

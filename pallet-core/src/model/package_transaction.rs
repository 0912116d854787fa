//! One transaction of a package manager.

use serde::{Deserialize, Serialize};

/// Packages that one transaction installs and removes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageTransaction {
    /// To install, each as `name` or `name=version`, for every package manager.
    pub install: Vec<String>,
    /// To upgrade to the newest available version.
    pub upgrade: Vec<String>,
    /// To remove.
    pub remove: Vec<String>,
    /// To remove together with their configuration files.
    pub purge: Vec<String>,
    /// How they are installed. Only transactions with equal options can be merged.
    pub options: PackageOptions,
}

/// How packages are installed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageOptions {
    /// Additional repositories. For apt it is one release, for apk one tag, that the packages come
    /// from.
    pub enable: Vec<String>,
    /// Repositories to ignore.
    pub disable: Vec<String>,
    /// Do not start the packages' services.
    pub disable_service_start: bool,
    /// Also install packages without a valid signature.
    pub allow_unsigned: bool,
}

impl PackageTransaction {
    /// Whether it does nothing.
    pub fn is_empty(&self) -> bool {
        [&self.install, &self.upgrade, &self.remove, &self.purge]
            .iter()
            .all(|packages| packages.is_empty())
    }

    /// Merges `other` into this transaction. Both must have equal options.
    pub fn extend(&mut self, other: PackageTransaction) {
        self.install.extend(other.install);
        self.upgrade.extend(other.upgrade);
        self.remove.extend(other.remove);
        self.purge.extend(other.purge);
    }
}

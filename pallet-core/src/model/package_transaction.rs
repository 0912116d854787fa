//! What one call of a package manager does.

/// Packages that one call of the package manager installs and removes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageTransaction {
    /// To install, each `name` or `name=version`, whatever the package manager writes.
    pub install: Vec<String>,
    /// To upgrade to the newest version there is.
    pub upgrade: Vec<String>,
    /// To remove.
    pub remove: Vec<String>,
    /// To remove together with their configuration files.
    pub purge: Vec<String>,
}

//! Which crates a project can load.

use pallet_core::model::Manifest;

/// The crates that are there.
pub(crate) trait CrateCatalog: Send + Sync {
    /// Their names.
    fn crates(&self) -> Vec<String>;
    /// What one of them says of itself; the error is one line.
    fn manifest(&self, name: &str) -> Result<Manifest, String>;
}

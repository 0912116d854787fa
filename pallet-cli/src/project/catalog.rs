//! The crates that a project can load.

use pallet_core::model::Manifest;

/// The available crates.
pub(crate) trait CrateCatalog: Send + Sync {
    /// Their names.
    fn crates(&self) -> Vec<String>;
    /// The manifest of a crate; the error is one line.
    fn manifest(&self, name: &str) -> Result<Manifest, String>;
}

//! Locked plugins: they are loaded from the store, and only if they are as they were locked.

use semver::Version;

use super::error::RegistryError;
use super::file::{plugin_file, summary};
use super::found::{FoundPlugin, PinnedFiles};
use super::machine::Machine;
use crate::model::PluginKind;

/// A locked plugin, and the location of its files.
#[derive(Debug, Clone, PartialEq)]
pub struct Pin {
    /// Its kind.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Its files in the store, with their locked digest; `None`: it has no build for this machine.
    pub files: Option<PinnedFiles>,
}

impl Pin {
    /// Finds the plugin without loading it. Its files are checked when it is loaded.
    pub(super) fn find(self) -> Result<FoundPlugin, RegistryError> {
        let Pin { kind, name, version, files } = &self;
        let pinned = |message: String| RegistryError::Pinned {
            kind: *kind,
            name: name.clone(),
            version: version.clone(),
            message,
        };
        let Some(files) = files else {
            return Err(pinned(format!(
                "has no build for {}; `pallet-cli update {name}` looks for one",
                Machine::target_of_this()
            )));
        };
        if !files.directory.is_dir() {
            return Err(pinned(
                "is locked but not in the store; run `pallet-cli install`".to_owned(),
            ));
        }
        let changed = |message: String| {
            pinned(format!("is not as it was locked: {message}; run `pallet-cli install`"))
        };
        let path = plugin_file(&files.directory).map_err(changed)?;
        let summary = summary(&path).map_err(changed)?;
        if (summary.kind, &summary.name, &summary.version) != (*kind, name, version) {
            return Err(changed(format!("its files are {} {}", summary.name, summary.version)));
        }
        Ok(FoundPlugin { summary, path, pinned: Some(files.clone()) })
    }
}

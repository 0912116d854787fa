//! Converts a plugin's requirements between manifests and locks.

use std::collections::BTreeMap;

use crate::distribution::lock::LockedPlugin;
use crate::model::Requirement;

pub(super) fn requires(requirements: &[Requirement]) -> BTreeMap<String, semver::VersionReq> {
    requirements
        .iter()
        .map(|requirement| (requirement.name.clone(), requirement.version.clone()))
        .collect()
}

impl LockedPlugin {
    /// The crates that it requires, in the form of a manifest.
    pub(super) fn requirements(&self) -> Vec<Requirement> {
        self.requires
            .iter()
            .map(|(name, version)| Requirement { name: name.clone(), version: version.clone() })
            .collect()
    }
}

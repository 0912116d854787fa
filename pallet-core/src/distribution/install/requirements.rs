//! The crates that a plugin requires, as manifests and as locks have them.

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
    /// The crates that it requires, as a plugin says it.
    pub(super) fn requirements(&self) -> Vec<Requirement> {
        self.requires
            .iter()
            .map(|(name, version)| Requirement { name: name.clone(), version: version.clone() })
            .collect()
    }
}

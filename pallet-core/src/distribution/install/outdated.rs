//! Finds newer versions of locked plugins.

use semver::Version;

use super::{InstallError, Session};
use crate::distribution::lock::{Lock, LockedPlugin};

/// A locked plugin with its newer versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Outdated {
    /// The plugin.
    pub locked: LockedPlugin,
    /// The highest version that its requirement allows, if it is newer. It may conflict with other
    /// plugins.
    pub compatible: Option<Version>,
    /// The highest version except pre-releases, if it is newer.
    pub latest: Option<Version>,
}

impl Session<'_> {
    /// The locked plugins that have newer versions.
    pub async fn outdated(&mut self, lock: &Lock) -> Result<Vec<Outdated>, InstallError> {
        let mut outdated = Vec::new();
        for locked in lock.plugins().filter(|locked| !locked.is_local()) {
            let versions = self.versions(&locked.source).await?;
            let newer = || versions.iter().filter(|version| **version > locked.version);
            let asked: Vec<_> = lock
                .plugins()
                .filter_map(|other| other.requires.get(&locked.name))
                .chain(&locked.requirement)
                .collect();
            let compatible = newer()
                .filter(|version| asked.iter().all(|requirement| requirement.matches(version)))
                .max()
                .cloned();
            let latest = newer().filter(|version| version.pre.is_empty()).max().cloned();
            if compatible.is_some() || latest.is_some() {
                outdated.push(Outdated { locked: locked.clone(), compatible, latest });
            }
        }
        Ok(outdated)
    }
}

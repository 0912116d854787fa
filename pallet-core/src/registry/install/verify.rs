//! Checks everything that is locked again: files, signatures, trust, and what the sources have.

use super::local::Place;
use super::{InstallError, Session};
use crate::registry::artifact::h1_of_directory;
use crate::registry::lock::{Lock, LockedPlugin};

/// What was found of one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The plugin.
    pub locked: LockedPlugin,
    /// What is not as it was locked; empty: everything is.
    pub problems: Vec<String>,
}

impl Session<'_> {
    /// Checks every plugin of a lock. Offline, the sources are not asked, and signatures are those that were seen.
    pub async fn verify(&mut self, lock: &Lock) -> Result<Vec<Finding>, InstallError> {
        let mut findings = Vec::new();
        for locked in lock.plugins() {
            let mut problems = Vec::new();
            problems.extend(self.wrong_files(locked).err().map(|error| error.to_string()));
            // a file that was never published has no signature, and no source but itself
            if locked.index.is_some() {
                problems.extend(self.wrong_source(locked).await.err().map(|error| error.to_string()));
            }
            findings.push(Finding { locked: locked.clone(), problems });
        }
        Ok(findings)
    }

    fn wrong_files(&self, locked: &LockedPlugin) -> Result<(), InstallError> {
        let target = self.build(locked)?;
        let directory = self.installer.store.directory(target.content.digest());
        let wrong = |message: String| Err(InstallError::Wrong { origin: locked.source.clone(), message });
        if !directory.exists() {
            return wrong(format!("{locked} is not in the store; run `pallet-cli install`"));
        }
        let h1 = h1_of_directory(&directory)?;
        match h1 == target.h1 {
            true => Ok(()),
            false => {
                wrong(format!("{locked} was changed in {} ({h1} instead of {}); run `pallet-cli install`", directory.display(), target.h1))
            }
        }
    }

    async fn wrong_source(&mut self, locked: &LockedPlugin) -> Result<(), InstallError> {
        let Place::Repository { repository, .. } = self.place(&locked.source).await? else { return Ok(()) };
        let plugin = self.signed_index(locked, &*repository).await?;
        for (name, target) in &locked.targets {
            if plugin.targets.get(name).is_none_or(|there| there.manifest.digest != *target.content.digest() || there.h1 != target.h1) {
                let message = format!("the build of {locked} for {name} in pallet.lock is not in its signed index; restore pallet.lock");
                return Err(InstallError::Wrong { origin: locked.source.clone(), message });
            }
        }
        if self.installer.offline { Ok(()) } else { self.unchanged_at_source(locked, &mut Vec::new()).await }
    }
}

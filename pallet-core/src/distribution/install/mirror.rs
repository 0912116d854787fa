//! Copies plugins to a directory: a complete OCI image layout, with all builds and signatures.

use std::path::Path;

use super::contents::Contents;
use super::copy::Copy;
use super::{InstallError, Session};
use crate::distribution::lock::{Lock, LockedPlugin, Origin};
use crate::distribution::repository::{Reference, Source, open};

/// The result for one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirrored {
    /// The plugin, with its version.
    pub plugin: String,
    /// Its source.
    pub source: Origin,
    /// Its place in the mirror.
    pub place: Source,
    /// The number of bytes that were missing.
    pub bytes: u64,
}

impl Session<'_> {
    /// Copies everything that a lock names into a layout. Existing content stays.
    pub async fn mirror(
        &mut self,
        lock: &Lock,
        directory: &Path,
    ) -> Result<Vec<Mirrored>, InstallError> {
        if let Some(local) = lock.plugins().find(|locked| locked.index.is_none()) {
            let message = format!(
                "{local} was never published, so a mirror cannot hold it; \
                `pallet-cli publish layout:DIR` publishes it"
            );
            return Err(InstallError::Wrong { origin: local.source.clone(), message });
        }
        let _held = self.installer.store.hold()?;
        let mut mirrored = Vec::new();
        for locked in lock.plugins() {
            mirrored.push(self.mirror_one(locked, directory).await?);
        }
        Ok(mirrored)
    }

    async fn mirror_one(
        &mut self,
        locked: &LockedPlugin,
        directory: &Path,
    ) -> Result<Mirrored, InstallError> {
        let path = match &locked.source {
            Origin::Repository(source) => source.path().to_owned(),
            Origin::Archive { path, .. } => path.clone(),
            Origin::File(_) => String::new(),
        };
        let place = Source::Layout { directory: directory.to_owned(), path };
        let target = open(&place, &self.installer.access).await?;
        let (Contents::Repository { repository, .. }, Some(index)) =
            (self.place(&locked.source).await?, locked.index)
        else {
            return Ok(Mirrored {
                plugin: locked.to_string(),
                source: locked.source.clone(),
                place,
                bytes: 0,
            });
        };
        let copy = Copy { from: &*repository, to: &*target, store: &self.installer.store };
        let (_, bytes) =
            copy.version(&Reference::Digest(index)).await.map_err(|error| match error {
                InstallError::Artifact(error) => self.offline_or(error, &locked.to_string()),
                other => other,
            })?;
        Ok(Mirrored { plugin: locked.to_string(), source: locked.source.clone(), place, bytes })
    }
}

//! Downloads locked plugins into the store. Every digest and the signature are verified, so the
//! result is exactly what is locked.

use super::contents::Contents;
use super::entry::check_not_replaced;
use super::{InstallError, Session, Step};
use crate::distribution::artifact::{ArtifactError, Digest, Plugin, tree_digest, unpack};
use crate::distribution::lock::{Lock, LockedContent, LockedPlugin, LockedTarget, Origin};
use crate::distribution::repository::{Reference, Repository};
use crate::distribution::signature::{SignerRule, verify};
use crate::distribution::trust::Subject;
use crate::plugins::source::DESCRIPTION;
use crate::plugins::{build_for, is_source, plugin_file};

impl Session<'_> {
    /// Downloads everything that a lock names for this machine. Returns the names of the plugins
    /// that were missing. Replaces damaged plugins.
    pub async fn fetch(&mut self, lock: &Lock) -> Result<Vec<String>, InstallError> {
        let _held = self.installer.store.hold()?;
        let mut fetched = Vec::new();
        for locked in lock.plugins() {
            let (name, target) = self.build(locked)?;
            if self.in_store(target) {
                continue;
            }
            self.fetch_one(locked, name, target).await?;
            fetched.push(locked.to_string());
            (self.installer.progress)(Step::Installed { plugin: &locked.to_string() });
        }
        Ok(fetched)
    }

    /// The build of a locked plugin for this machine, with the name of its target.
    pub(super) fn build<'l>(
        &self,
        locked: &'l LockedPlugin,
    ) -> Result<(&'l str, &'l LockedTarget), InstallError> {
        let machine = &self.installer.machine.target;
        build_for(&locked.targets, machine).ok_or_else(|| InstallError::NoBuild {
            plugin: locked.to_string(),
            name: locked.name.clone(),
            target: machine.clone(),
            there: locked.targets.keys().cloned().collect(),
        })
    }

    /// Whether a build is in the store and unchanged.
    pub(super) fn in_store(&self, target: &LockedTarget) -> bool {
        let directory = self.installer.store.directory(target.content.digest());
        tree_digest(&directory).is_ok_and(|h1| h1 == target.h1)
    }

    async fn fetch_one(
        &mut self,
        locked: &LockedPlugin,
        of: &str,
        target: &LockedTarget,
    ) -> Result<(), InstallError> {
        let name = locked.to_string();
        let (store, tell) = (&self.installer.store, &self.installer.progress);
        let claim =
            store.claim(target.content.digest(), || tell(Step::Waiting { plugin: &name }))?;
        if self.in_store(target) {
            return Ok(());
        }
        let repository = match (self.place(&locked.source).await?, target.content) {
            (Contents::Repository { repository, .. }, LockedContent::Manifest(_)) => repository,
            // opening a file has already put it into the store
            (Contents::Files(files), LockedContent::File(digest))
                if files.digest == digest && self.in_store(target) =>
            {
                return Ok(());
            }
            (_, content) => {
                let message = format!(
                    "it is not what pallet.lock has ({}); `pallet-cli install` it again to \
                        lock what it is now",
                    content.digest()
                );
                return Err(InstallError::Wrong { origin: locked.source.clone(), message });
            }
        };
        let plugin = self.signed_index(locked, &*repository).await?;
        let build = plugin.targets.get(of).filter(|build| {
            build.manifest.digest == *target.content.digest() && build.h1 == target.h1
        });
        let Some(build) = build else {
            let message = format!(
                "its index does not hold the build of {name} that pallet.lock has; restore \
                 pallet.lock, or delete it and run `pallet-cli install`"
            );
            return Err(InstallError::Wrong { origin: locked.source.clone(), message });
        };
        let parts =
            build.parts(&*repository).await.map_err(|error| self.offline_or(error, &name))?;
        let place = format!("{} {}", repository.source(), parts.config.digest);
        let config = repository
            .small_blob(&parts.config)
            .await
            .map_err(|error| self.offline_or(error, &name))?;
        let described = plugin.config_of(&place, of, &config)?;
        let partial = claim.partial()?;
        let total = parts.layer.size;
        let progress = |done: u64| tell(Step::Download { plugin: &name, done, total });
        repository
            .blob(&parts.layer, &partial, &progress)
            .await
            .map_err(|error| self.offline_or(error, &name))?;
        claim.put(|directory| {
            unpack(&partial, directory, build)?;
            let wrong = |message: String| {
                Err(InstallError::from(ArtifactError::NotAPlugin { place, message }))
            };
            // what is for any system must not hold a library in place of its source
            match (std::fs::read(directory.join("plugin.json")), plugin_file(directory)) {
                (Ok(own), _) if own != config => {
                    wrong("is not the plugin.json among its files".to_owned())
                }
                (_, Err(message)) => wrong(format!("its files are no plugin: {message}")),
                (_, Ok(file)) if is_source(&file) != (described.library == DESCRIPTION) => {
                    wrong(format!("does not have the file {} that it names", described.library))
                }
                _ => Ok(()),
            }
        })?;
        Ok(())
    }

    /// The locked index, after checking that the locked signer signed it and is trusted now.
    pub(super) async fn signed_index(
        &mut self,
        locked: &LockedPlugin,
        repository: &dyn Repository,
    ) -> Result<Plugin, InstallError> {
        let name = locked.to_string();
        let index = locked.index.unwrap_or(Digest::of(b""));
        let plugin = Plugin::read(repository, &Reference::Digest(index))
            .await
            .map_err(|error| self.offline_or(error, &name))?;
        if (plugin.kind, &plugin.name, &plugin.version)
            != (locked.kind, &locked.name, &locked.version)
        {
            let message = format!(
                "pallet.lock has {name}, and what it points to is {} {}; restore pallet.lock",
                plugin.name, plugin.version
            );
            return Err(InstallError::Wrong { origin: locked.source.clone(), message });
        }
        if self.verified.contains(&index) {
            return Ok(plugin);
        }
        let subject = || Subject {
            name: locked.name.clone(),
            version: locked.version.clone(),
            source: locked.source.clone(),
        };
        if let Some(signer) = &locked.signer {
            let trust = &self.installer.trust;
            let signed =
                verify(repository, &index, &[SignerRule::Only(signer.clone())], &trust.root)
                    .await?;
            trust.decide(subject(), &signed, Some(locked), &Default::default())?;
        }
        self.verified.insert(index);
        Ok(plugin)
    }

    /// Converts an error: if something is missing offline, it would have to be downloaded.
    pub(super) fn offline_or(&self, error: ArtifactError, plugin: &str) -> InstallError {
        match error.is_not_found() && self.installer.offline {
            true => InstallError::Offline { plugin: plugin.to_owned() },
            false => error.into(),
        }
    }

    /// Fails if the source no longer has the locked version under its tag. Adds what the source has
    /// gained to the notes.
    pub(super) async fn unchanged_at_source(
        &mut self,
        locked: &LockedPlugin,
        notes: &mut Vec<String>,
    ) -> Result<(), InstallError> {
        let Contents::Repository { repository, .. } = self.place(&locked.source).await? else {
            return Ok(());
        };
        let plugin = self.plugin(&locked.source, &*repository, &locked.version).await?;
        let now =
            super::entry::locked(&plugin, &locked.source, locked.signer.clone(), locked.accepted);
        check_not_replaced(locked, &now, notes)
    }
}

impl LockedPlugin {
    /// Whether it comes from a file that was never published.
    pub(super) fn is_local(&self) -> bool {
        self.index.is_none() && !matches!(self.source, Origin::Repository(_))
    }
}

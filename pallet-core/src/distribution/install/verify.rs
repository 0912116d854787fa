//! Verifies all locked plugins again: files, signatures, trust, and sources.

use std::collections::BTreeSet;

use super::contents::Contents;
use super::{InstallError, Session};
use crate::distribution::artifact::index::{Index, Manifest};
use crate::distribution::artifact::{
    ArtifactError, Descriptor, Digest, Plugin, media, tree_digest,
};
use crate::distribution::lock::{Lock, LockedPlugin, Origin};
use crate::distribution::repository::{Reference, Repository, Source};
use crate::distribution::signature;

/// The result for one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The plugin.
    pub locked: LockedPlugin,
    /// Differences from the lock; empty: none.
    pub problems: Vec<String>,
}

impl Session<'_> {
    /// Verifies every plugin of a lock. Offline, sources are not contacted, and cached signatures
    /// are used.
    pub async fn verify(&mut self, lock: &Lock) -> Result<Vec<Finding>, InstallError> {
        let mut findings = Vec::new();
        for locked in lock.plugins() {
            let mut problems = Vec::new();
            problems.extend(self.wrong_files(locked).err().map(|error| error.to_string()));
            // a file that was never published has no signature, and no other source
            if locked.index.is_some() {
                problems
                    .extend(self.wrong_source(locked).await.err().map(|error| error.to_string()));
                match self.wrong_blobs(locked).await {
                    Ok(wrong) => problems.extend(wrong),
                    Err(error) => problems.push(error.to_string()),
                }
            }
            let mut seen = BTreeSet::new();
            problems.retain(|problem| seen.insert(problem.clone()));
            findings.push(Finding { locked: locked.clone(), problems });
        }
        Ok(findings)
    }

    fn wrong_files(&self, locked: &LockedPlugin) -> Result<(), InstallError> {
        let (_, target) = self.build(locked)?;
        let directory = self.installer.store.directory(target.content.digest());
        let wrong =
            |message: String| Err(InstallError::Wrong { origin: locked.source.clone(), message });
        if !directory.exists() {
            return wrong(format!("{locked} is not in the store; run `pallet-cli install`"));
        }
        let h1 = tree_digest(&directory).map_err(ArtifactError::from)?;
        match h1 == target.h1 {
            true => Ok(()),
            false => wrong(format!(
                "{locked} was changed in {} ({h1} instead of {}); run `pallet-cli install`",
                directory.display(),
                target.h1
            )),
        }
    }

    async fn wrong_source(&mut self, locked: &LockedPlugin) -> Result<(), InstallError> {
        let Contents::Repository { repository, .. } = self.place(&locked.source).await? else {
            return Ok(());
        };
        let plugin = self.signed_index(locked, &*repository).await?;
        for (name, target) in &locked.targets {
            if plugin.targets.get(name).is_none_or(|there| {
                there.manifest.digest != *target.content.digest() || there.h1 != target.h1
            }) {
                let message = format!(
                    "the build of {locked} for {name} in pallet.lock is not in \
                    its signed index; restore pallet.lock"
                );
                return Err(InstallError::Wrong { origin: locked.source.clone(), message });
            }
        }
        if self.installer.offline {
            Ok(())
        } else {
            self.unchanged_at_source(locked, &mut Vec::new()).await
        }
    }

    /// Errors in all content of a locked version at the source, for every target, whether it is
    /// needed here or not. The cache is not used. Offline, it checks the content on this machine.
    async fn wrong_blobs(&mut self, locked: &LockedPlugin) -> Result<Vec<String>, InstallError> {
        let (Contents::Repository { repository, .. }, Some(index)) =
            (self.place(&locked.source).await?, locked.index)
        else {
            return Ok(Vec::new());
        };
        let repository = repository.at_source().unwrap_or(&*repository);
        let mut blobs = Blobs {
            repository,
            // the cache of a registry has no layers
            whole: !self.installer.offline
                || !matches!(locked.source, Origin::Repository(Source::Registry { .. })),
            temporary: self.installer.store.temporary()?,
            seen: BTreeSet::new(),
            wrong: Vec::new(),
        };
        let (descriptor, content) = match repository.manifest(&Reference::Digest(index)).await {
            Err(error) => {
                blobs.note(error);
                return Ok(blobs.wrong);
            }
            Ok(found) => found,
        };
        let place = format!("{} {index}", repository.source());
        let read = Index::parse(&place, &descriptor, &content)?;
        let plugin = read.plugin(&place, index)?;
        for manifest in &read.manifests {
            blobs.manifest(manifest, &plugin).await;
        }
        match repository.referrers(&index, None).await {
            Ok(referrers) => {
                for referrer in referrers {
                    blobs.referrer(&referrer).await;
                }
            }
            Err(error) => blobs.note(error),
        }
        Ok(blobs.wrong)
    }
}

/// The content that is being checked, and the errors so far.
struct Blobs<'a> {
    repository: &'a dyn Repository,
    /// Whether missing content is an error.
    whole: bool,
    temporary: tempfile::TempDir,
    seen: BTreeSet<Digest>,
    wrong: Vec<String>,
}

impl Blobs<'_> {
    fn note(&mut self, error: ArtifactError) {
        if self.whole || !error.is_not_found() {
            self.wrong.push(error.to_string());
        }
    }

    async fn read(&mut self, manifest: &Descriptor) -> Option<Manifest> {
        let place = format!("{} {}", self.repository.source(), manifest.digest);
        let read = match self.repository.manifest(&Reference::Digest(manifest.digest)).await {
            Ok((_, content)) => Manifest::parse(&place, &content),
            Err(error) => Err(error),
        };
        read.map_err(|error| self.note(error)).ok()
    }

    async fn manifest(&mut self, manifest: &Descriptor, plugin: &Plugin) {
        let Some(read) = self.read(manifest).await else { return };
        for layer in &read.layers {
            self.blob(layer).await;
        }
        let Some(target) = manifest.annotations.get(media::TARGET_KEY) else {
            return self.blob(&read.config).await;
        };
        let place = format!("{} {}", self.repository.source(), read.config.digest);
        let checked = match self.repository.small_blob(&read.config).await {
            Ok(content) => plugin.config_of(&place, target, &content).map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = checked {
            self.note(error);
        }
    }

    async fn referrer(&mut self, referrer: &Descriptor) {
        let Some(read) = self.read(referrer).await else { return };
        let before = self.wrong.len();
        for layer in &read.layers {
            self.blob(layer).await;
        }
        // some tools omit the empty configuration
        let there = self.repository.small_blob(&read.config).await;
        if let Err(error) = there
            && !(read.config.media_type == media::EMPTY && error.is_not_found())
        {
            self.note(error);
        }
        let is_signature = referrer.artifact_type.as_deref() == Some(media::BUNDLE);
        if is_signature
            && self.wrong.len() == before
            && matches!(signature::is_readable(self.repository, referrer).await, Ok(false))
        {
            let message = "is not a readable signature, and is ignored".to_owned();
            let place = format!("{} {}", self.repository.source(), referrer.digest);
            self.note(ArtifactError::NotAPlugin { place, message });
        }
    }

    async fn blob(&mut self, blob: &Descriptor) {
        if !self.seen.insert(blob.digest) {
            return;
        }
        let file = self.temporary.path().join(blob.digest.hex());
        let checked = self.repository.blob(blob, &file, &|_| ()).await;
        // a valid file may be large
        let _ = std::fs::remove_file(&file);
        if let Err(error) = checked {
            self.note(error);
        }
    }
}

//! Resolves a source: to itself, to a mirror, or to the cache.

use std::path::Path;
use std::sync::Arc;

use semver::Version;

use super::cached::CachedRepository;
use super::contents::Contents;
use super::local::local_contents;
use super::pull_through::PullThrough;
use super::{InstallError, Installer, Session};
use crate::distribution::artifact::Plugin;
use crate::distribution::lock::Origin;
use crate::distribution::repository::{Reference, Repository, Source, open};
use crate::distribution::trust::is_prefix;

impl Installer {
    /// The mirror of a source, with the path in it. The longest prefix wins.
    fn mirror_of(&self, source: &Source) -> Option<(Source, bool)> {
        let text = source.to_string();
        let mirror = self
            .mirrors
            .iter()
            .filter(|mirror| is_prefix(&mirror.prefix, &text))
            .max_by_key(|mirror| mirror.prefix.len())?;
        let rest = text
            .strip_prefix(mirror.prefix.trim_end_matches('/'))
            .unwrap_or_default()
            .trim_start_matches(['/', '#']);
        let words: Vec<_> =
            [mirror.to.path(), rest].into_iter().filter(|word| !word.is_empty()).collect();
        Some((self.absolute(&mirror.to.with_path(&words.join("/"))), mirror.pull_through))
    }

    /// Makes the directory of a source absolute.
    pub(super) fn absolute(&self, source: &Source) -> Source {
        match source {
            Source::Layout { directory, path } => {
                Source::Layout { directory: self.base.join(directory), path: path.clone() }
            }
            other => other.clone(),
        }
    }

    /// The cache of a source.
    pub(super) fn seen(&self, source: &Source) -> Option<Source> {
        let Source::Registry { host, path } = source else { return None };
        Some(Source::Layout { directory: self.store.seen(), path: format!("{host}/{path}") })
    }

    /// The source to use in place of this one: a mirror, the cache, or itself.
    pub(super) fn stand_in(&self, source: &Source) -> Result<Source, InstallError> {
        let local = |source: &Source| matches!(source, Source::Layout { .. });
        let source = self.absolute(source);
        match self.mirror_of(&source) {
            Some((mirror, _)) if !self.offline || local(&mirror) => Ok(mirror),
            _ if !self.offline || local(&source) => Ok(source),
            _ => self
                .seen(&source)
                .ok_or_else(|| InstallError::Offline { plugin: source.to_string() }),
        }
    }

    /// Opens a repository, or its replacement.
    pub(super) async fn open(&self, source: &Source) -> Result<Arc<dyn Repository>, InstallError> {
        let source = self.absolute(source);
        if let Some((mirror, true)) = self.mirror_of(&source).filter(|_| !self.offline) {
            let (origin, mirror) =
                (open(&source, &self.access).await?, open(&mirror, &self.access).await?);
            return Ok(Arc::new(PullThrough::new(source, mirror, origin, self.store.clone())));
        }
        let stand_in = self.stand_in(&source)?;
        let there = open(&stand_in, &self.access).await?;
        match self.seen(&stand_in) {
            Some(seen) => Ok(CachedRepository::keeping(there, open(&seen, &self.access).await?)),
            None => Ok(there.into()),
        }
    }
}

impl Session<'_> {
    /// The content at an origin.
    pub(super) async fn place(&mut self, origin: &Origin) -> Result<Contents, InstallError> {
        if let Some(place) = self.opened.get(origin) {
            return Ok(place.clone());
        }
        let place = match origin {
            Origin::Repository(source) => Contents::Repository {
                repository: self.installer.open(source).await?,
                unpacked: None,
            },
            Origin::Archive { file, .. } | Origin::File(file) => {
                let file = self.installer.base.join(file);
                local_contents(self.installer, origin, Path::new(&file)).await?
            }
        };
        self.opened.insert(origin.clone(), place.clone());
        Ok(place)
    }

    /// The versions at an origin; empty if it does not exist.
    pub(super) async fn versions(&mut self, origin: &Origin) -> Result<Vec<Version>, InstallError> {
        if let Some(versions) = self.versions.get(origin) {
            return Ok(versions.clone());
        }
        let versions = match self.place(origin).await? {
            Contents::Repository { repository, .. } => repository.versions().await?,
            Contents::Files(files) => vec![files.summary.version.clone()],
        };
        self.versions.insert(origin.clone(), versions.clone());
        Ok(versions)
    }

    /// The description of a version at an origin.
    pub(super) async fn plugin(
        &mut self,
        origin: &Origin,
        repository: &dyn Repository,
        version: &Version,
    ) -> Result<Plugin, InstallError> {
        let key = (origin.clone(), version.clone());
        if let Some(plugin) = self.plugins.get(&key) {
            return Ok(plugin.clone());
        }
        let plugin = Plugin::read(repository, &Reference::Version(version.clone())).await?;
        if plugin.version != *version {
            let message = format!(
                "its tag {version} holds version {} of {}; somebody changed the tag, ask its \
                 publisher",
                plugin.version, plugin.name
            );
            return Err(InstallError::Wrong { origin: origin.clone(), message });
        }
        self.plugins.insert(key, plugin.clone());
        Ok(plugin)
    }
}

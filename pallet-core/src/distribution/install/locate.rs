//! Determines which plugin the user means: its kind, its name and its repository.

use semver::{Version, VersionReq};

use super::contents::Contents;
use super::{InstallError, Session, Wanted};
use crate::distribution::lock::{Lock, Origin};
use crate::distribution::repository::{Source, catalog};
use crate::distribution::resolve::Package;
use crate::model::PluginKind;

/// A plugin with a known origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Located {
    /// Its kind and name.
    pub package: Package,
    /// Its repository or file.
    pub origin: Origin,
}

const KINDS: [PluginKind; 2] = [PluginKind::Crate, PluginKind::Provider];

impl Session<'_> {
    /// The plugin at an origin from the command line: a repository, or a directory or archive that
    /// contains one plugin.
    pub async fn identify(
        &mut self,
        origin: &Origin,
        requirement: &VersionReq,
    ) -> Result<Located, InstallError> {
        match self.place(origin).await? {
            Contents::Files(files) => Ok(Located {
                package: Package { kind: files.summary.kind, name: files.summary.name.clone() },
                origin: origin.clone(),
            }),
            Contents::Repository { repository, .. } => {
                let versions = self.versions(origin).await?;
                let best = versions
                    .iter()
                    .filter(|version| requirement.matches(version))
                    .max()
                    .or_else(|| versions.iter().max());
                if let Some(version) = best {
                    let plugin = self.plugin(origin, &*repository, version).await?;
                    return Ok(Located {
                        package: Package { kind: plugin.kind, name: plugin.name },
                        origin: origin.clone(),
                    });
                }
                self.only_one_under(origin, repository.source()).await
            }
        }
    }

    /// The only plugin in a directory or archive.
    async fn only_one_under(
        &mut self,
        origin: &Origin,
        source: &Source,
    ) -> Result<Located, InstallError> {
        let wrong = |message: &str| InstallError::Wrong {
            origin: origin.clone(),
            message: message.to_owned(),
        };
        if matches!(origin, Origin::Repository(Source::Registry { .. })) {
            if self.installer.offline {
                return Err(InstallError::Offline { plugin: origin.to_string() });
            }
            return Err(wrong(
                "there is no plugin; name its repository, as `pallet-cli search SOURCE` lists them",
            ));
        }
        let paths = catalog(source, &self.installer.access).await?;
        let [path] = paths.as_slice() else {
            let message = match paths.is_empty() {
                true => "it contains no plugin".to_owned(),
                false => format!(
                    "it contains several plugins; name one of them after a #: {}",
                    paths.join(", ")
                ),
            };
            return Err(wrong(&message));
        };
        Box::pin(self.identify(&origin.with_path(path), &VersionReq::STAR)).await
    }

    /// Finds a plugin by name; `None`: it comes with Pallet. A locked plugin that still matches is
    /// not searched for.
    pub(super) async fn locate(
        &mut self,
        wanted: &Wanted,
        lock: &Lock,
    ) -> Result<Option<Located>, InstallError> {
        let fits = |locked: &&crate::distribution::lock::LockedPlugin| {
            wanted.kind.is_none_or(|kind| kind == locked.kind)
                && wanted.origin.as_ref().is_none_or(|origin| {
                    locked.source == *origin
                        || locked.source == origin.of_plugin(locked.kind, &locked.name)
                })
        };
        if let Some(locked) = lock.named(&wanted.name).find(fits) {
            return Ok(Some(Located { package: locked.package(), origin: locked.source.clone() }));
        }
        let origin = match (&wanted.origin, &self.installer.registry) {
            (Some(origin), _) => origin.clone(),
            (None, _) if self.is_own(wanted) => return Ok(None),
            (None, Some(registry)) => Origin::Repository(registry.clone()),
            (None, None) => {
                return Err(InstallError::NoSource {
                    name: wanted.name.clone(),
                    requirement: wanted.requirement.clone(),
                });
            }
        };
        self.find_at(origin, wanted).await.map(Some)
    }

    /// Finds a plugin by name, in its repository or under its prefix.
    pub async fn find(&mut self, wanted: &Wanted) -> Result<Located, InstallError> {
        match &wanted.origin {
            Some(origin) => self.find_at(origin.clone(), wanted).await,
            None => Err(InstallError::NoSource {
                name: wanted.name.clone(),
                requirement: wanted.requirement.clone(),
            }),
        }
    }

    async fn find_at(&mut self, origin: Origin, wanted: &Wanted) -> Result<Located, InstallError> {
        let mut places = Vec::new();
        if !self.versions(&origin).await?.is_empty() {
            let located = self.identify(&origin, &wanted.requirement).await?;
            if located.package.name == wanted.name
                && wanted.kind.is_none_or(|kind| kind == located.package.kind)
            {
                return Ok(located);
            }
            let message = format!(
                "it contains the {}, but {} requires {}",
                located.package, wanted.by, wanted.name
            );
            return Err(InstallError::Wrong { origin, message });
        }
        places.push(origin.to_string());
        for kind in
            KINDS.into_iter().filter(|kind| wanted.kind.is_none_or(|wanted| wanted == *kind))
        {
            let place = origin.of_plugin(kind, &wanted.name);
            if place != origin && !self.versions(&place).await?.is_empty() {
                return Ok(Located {
                    package: Package { kind, name: wanted.name.clone() },
                    origin: place,
                });
            }
            places.push(place.to_string());
        }
        places.dedup();
        Err(InstallError::Missing { name: wanted.name.clone(), places, by: None })
    }

    fn is_own(&self, wanted: &Wanted) -> bool {
        self.installer
            .own(wanted.kind, &wanted.name)
            .is_some_and(|own| wanted.requirement.matches(&own.version))
    }

    /// Finds a crate that another crate requires: next to that crate, else in the default registry,
    /// else with Pallet (`None`).
    pub(super) async fn locate_required(
        &mut self,
        package: &Package,
        by: &(Package, Version),
        beside: Option<&Origin>,
    ) -> Result<Option<Origin>, InstallError> {
        let places = [
            beside.and_then(Origin::prefix),
            self.installer.registry.clone().map(Origin::Repository),
        ];
        let places: Vec<_> = places
            .into_iter()
            .flatten()
            .map(|place| place.of_plugin(package.kind, &package.name))
            .collect();
        for place in &places {
            if !self.versions(place).await?.is_empty() {
                return Ok(Some(place.clone()));
            }
        }
        if self.installer.own(Some(package.kind), &package.name).is_some() {
            return Ok(None);
        }
        let places = if places.is_empty() {
            vec!["any known source".to_owned()]
        } else {
            places.iter().map(Origin::to_string).collect()
        };
        Err(InstallError::Missing {
            name: package.name.clone(),
            places,
            by: Some(format!("{} {}", by.0, by.1)),
        })
    }
}

impl Origin {
    /// The origin of a plugin under this one.
    #[must_use]
    pub(super) fn of_plugin(&self, kind: PluginKind, name: &str) -> Origin {
        match self {
            Origin::Repository(source) => Origin::Repository(source.of_plugin(kind, name)),
            Origin::Archive { file, path } => {
                let inside = Source::Layout { directory: Default::default(), path: path.clone() }
                    .of_plugin(kind, name);
                Origin::Archive { file: file.clone(), path: inside.path().to_owned() }
            }
            Origin::File(file) => Origin::File(file.clone()),
        }
    }

    /// The prefix of the plugins next to this one; `None` for a single library.
    pub(super) fn prefix(&self) -> Option<Origin> {
        match self {
            Origin::Repository(source) => Some(Origin::Repository(source.prefix())),
            Origin::Archive { file, path } if !path.is_empty() => {
                let inside =
                    Source::Layout { directory: Default::default(), path: path.clone() }.prefix();
                Some(Origin::Archive { file: file.clone(), path: inside.path().to_owned() })
            }
            Origin::Archive { .. } | Origin::File(_) => None,
        }
    }

    /// Another path in the same registry, directory or archive.
    #[must_use]
    pub(super) fn with_path(&self, path: &str) -> Origin {
        match self {
            Origin::Repository(source) => Origin::Repository(source.with_path(path)),
            Origin::Archive { file, .. } => {
                Origin::Archive { file: file.clone(), path: path.to_owned() }
            }
            Origin::File(file) => Origin::File(file.clone()),
        }
    }
}

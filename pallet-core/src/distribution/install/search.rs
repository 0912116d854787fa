//! What plugins a registry or a directory has.

use semver::Version;

use super::contents::Contents;
use super::{InstallError, Session};
use crate::distribution::lock::Origin;
use crate::distribution::repository::{Source, catalog};
use crate::model::PluginKind;

/// A plugin that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What it is for.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its newest version that is no pre-release, or else its newest.
    pub version: Version,
    /// Its licence, as an SPDX expression; empty if it says none.
    pub licenses: String,
    /// Its repository.
    pub source: Origin,
}

impl Session<'_> {
    /// The plugins under a source whose names hold a word.
    pub async fn search(
        &mut self,
        source: &Source,
        word: &str,
    ) -> Result<Vec<Listed>, InstallError> {
        let place = self.installer.stand_in(source)?;
        let mut found = Vec::new();
        for path in catalog(&place, &self.installer.access).await? {
            // of a mirror, what is shown is the source that it stands for
            let rest = path.strip_prefix(place.path()).unwrap_or(&path).trim_start_matches('/');
            let whole: Vec<_> =
                [source.path(), rest].into_iter().filter(|word| !word.is_empty()).collect();
            let origin = Origin::Repository(source.with_path(&whole.join("/")));
            // the last word of a path is a plugin's name by custom alone, but then others need not
            // be asked
            if !path.contains(word) {
                continue;
            }
            let Contents::Repository { repository, .. } = self.place(&origin).await? else {
                continue;
            };
            let versions = self.versions(&origin).await?;
            let newest = versions
                .iter()
                .filter(|version| version.pre.is_empty())
                .max()
                .or_else(|| versions.iter().max());
            let Some(version) = newest else { continue };
            // what is no plugin of pallet is not for this list
            let Ok(plugin) = self.plugin(&origin, &*repository, version).await else { continue };
            found.push(Listed {
                kind: plugin.kind,
                name: plugin.name,
                version: plugin.version,
                licenses: plugin.licenses,
                source: origin,
            });
        }
        found.sort_by(|a, b| (&a.name, a.kind, &a.source).cmp(&(&b.name, b.kind, &b.source)));
        Ok(found)
    }
}

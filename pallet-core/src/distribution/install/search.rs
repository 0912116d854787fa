//! Lists the plugins in a registry or a directory.

use semver::Version;

use super::contents::Contents;
use super::{InstallError, Session};
use crate::distribution::lock::Origin;
use crate::distribution::repository::{Source, catalog};
use crate::model::PluginKind;

/// A plugin that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its kind.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its newest version except pre-releases, or else its newest pre-release.
    pub version: Version,
    /// Its licence, as an SPDX expression; may be empty.
    pub licenses: String,
    /// Its repository.
    pub source: Origin,
}

impl Session<'_> {
    /// Lists the plugins under a source whose names contain a word.
    pub async fn search(
        &mut self,
        source: &Source,
        word: &str,
    ) -> Result<Vec<Listed>, InstallError> {
        let place = self.installer.stand_in(source)?;
        let mut found = Vec::new();
        for path in catalog(&place, &self.installer.access).await? {
            // for a mirror, show the source that it replaces
            let rest = path.strip_prefix(place.path()).unwrap_or(&path).trim_start_matches('/');
            let whole: Vec<_> =
                [source.path(), rest].into_iter().filter(|word| !word.is_empty()).collect();
            let origin = Origin::Repository(source.with_path(&whole.join("/")));
            // the last word of a path is the plugin's name only by convention, but this avoids a
            // request for each of the others
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
            // skip content that is not a Pallet plugin
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

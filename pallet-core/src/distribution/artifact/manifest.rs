//! The part of a plugin's manifest that is published.

use std::path::PathBuf;

use serde_json::Value;

use super::{ArtifactError, Build, Plugin};
use crate::distribution::repository::{Reference, Repository};
use crate::plugins::whole_manifest;

/// The manifest of the plugin in these builds: from the first library that this machine can load,
/// or else from the published build of the same version.
///
/// Fails if this machine can load no library and nothing is published: publish a build for this
/// machine first.
pub async fn manifest_for(
    repository: &dyn Repository,
    builds: &[Build],
    libraries: &[PathBuf],
) -> Result<Value, ArtifactError> {
    let mut problem = None;
    for library in libraries {
        match whole_manifest(library) {
            Ok(manifest) => return Ok(manifest),
            Err(error) => problem = Some(error),
        }
    }
    let place = || repository.source().to_string();
    let Some(first) = builds.first() else {
        return Err(ArtifactError::NotAPlugin {
            place: place(),
            message: "there is no library to publish".to_owned(),
        });
    };
    let version = Reference::Version(first.summary.version.clone());
    match published(repository, &version).await {
        Err(error) if error.is_not_found() => {
            let why = problem.map(|error| error.to_string()).unwrap_or_default();
            let what = "the plugin's manifest cannot be read; publish the build for this machine \
                first, or with it";
            Err(ArtifactError::NotAPlugin { place: place(), message: format!("{what}: {why}") })
        }
        answer => answer,
    }
}

async fn published(
    repository: &dyn Repository,
    version: &Reference,
) -> Result<Value, ArtifactError> {
    let plugin = Plugin::read(repository, version).await?;
    let none = || ArtifactError::NotFound {
        place: repository.source().to_string(),
        what: "build of this version".to_owned(),
    };
    let target = plugin.targets.values().next().ok_or_else(none)?;
    Ok(target.config(repository).await?.manifest)
}

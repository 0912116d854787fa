//! What is published of what a plugin says of itself.

use std::path::PathBuf;

use serde_json::Value;

use super::{ArtifactError, Build, Plugin};
use crate::distribution::repository::{Reference, Repository};
use crate::plugins::whole_manifest;

/// What the plugin of these builds says of itself: of the first of these libraries that can be
/// loaded here, or else of what is published of the same version already.
///
/// It is an error if none can be loaded here and nothing is published: a build for this machine
/// comes first.
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
            let what = "what the plugin says of itself cannot be read; publish the build for this \
                machine first, or with it";
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

//! Reads a plugin's artifact: its index, its targets, and `plugin.json`.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::index::{Index, Manifest};
use super::{ArtifactError, Descriptor, Digest, Platform};
use crate::distribution::repository::{Reference, Repository};
use crate::model::{PluginKind, Requirement};
use crate::plugins::source::DESCRIPTION;
use crate::plugins::{ANY_TARGET, kind_word};

/// One version of a plugin in a repository, for all targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// The digest of its index, which is what gets signed and locked.
    pub index: Digest,
    /// Its kind.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The major version of the binary interface that it was built for.
    pub abi: u64,
    /// The crates that it requires.
    pub requires: Vec<Requirement>,
    /// Its licence, as an SPDX expression; may be empty.
    pub licenses: String,
    /// Its builds, by Rust target: `x86_64-unknown-linux-gnu`.
    pub targets: BTreeMap<String, Target>,
}

/// A build of a plugin for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its manifest, which points to `config` and `layer`.
    pub manifest: Descriptor,
    /// The platform, as Go names it.
    pub platform: Platform,
    /// The oldest glibc that it runs with: `2.31`; `None` if it needs no glibc.
    pub glibc: Option<String>,
    /// The digest of its unpacked files: `h1:<base64>`.
    pub h1: String,
    /// The size of its unpacked files in bytes.
    pub size: u64,
}

/// The parts of a build.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// `plugin.json`.
    pub config: Descriptor,
    /// The files: a gzipped tar.
    pub layer: Descriptor,
}

/// `plugin.json`: describes a plugin without loading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginConfig {
    /// The version of the binary interface that it was built for.
    pub abi: Version,
    /// Its kind.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The crates that it requires.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// The Rust target that it was built for, or [`ANY_TARGET`].
    pub target: String,
    /// The oldest glibc that it runs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
    /// The file name of its library; of a crate in Starlark, that of its description.
    pub library: String,
    /// Its licence, as an SPDX expression; may be empty.
    #[serde(default)]
    pub licenses: String,
    /// The manifest that the loaded plugin returns: functions, parameters, options, capabilities.
    pub manifest: Value,
}

impl Plugin {
    /// Reads a version's index. One request.
    pub async fn read(
        repository: &dyn Repository,
        reference: &Reference,
    ) -> Result<Self, ArtifactError> {
        let (descriptor, content) = repository.manifest(reference).await?;
        let place = format!("{} {reference}", repository.source());
        let index = Index::parse(&place, &descriptor, &content)?;
        let plugin = index.plugin(&place, descriptor.digest)?;
        let wrong =
            |message: String| Err(ArtifactError::NotAPlugin { place: place.clone(), message });
        if let Reference::Version(version) = reference
            && plugin.version != *version
        {
            return wrong(format!(
                "the tag of this version points to version {}; nothing of it was used",
                plugin.version
            ));
        }
        let source = repository.source();
        if *source != source.prefix()
            && *source != source.prefix().of_plugin(plugin.kind, &plugin.name)
        {
            return wrong(format!(
                "holds the {} {}, which does not belong there; nothing of it was used",
                kind_word(plugin.kind),
                plugin.name
            ));
        }
        Ok(plugin)
    }
}

impl Target {
    /// Reads the target's manifest. One request.
    pub async fn parts(&self, repository: &dyn Repository) -> Result<Parts, ArtifactError> {
        let (_, content) = repository.manifest(&Reference::Digest(self.manifest.digest)).await?;
        let place = format!("{} {}", repository.source(), self.manifest.digest);
        Manifest::parse(&place, &content)?.parts(&place)
    }

    /// Reads the target's `plugin.json`. Two requests.
    pub async fn config(&self, repository: &dyn Repository) -> Result<PluginConfig, ArtifactError> {
        let config = self.parts(repository).await?.config;
        PluginConfig::parse(
            &format!("{} {}", repository.source(), config.digest),
            &repository.small_blob(&config).await?,
        )
    }
}

impl Plugin {
    /// Parses the `plugin.json` of one target, and checks that it is for this plugin and target.
    pub(crate) fn config_of(
        &self,
        place: &str,
        target: &str,
        content: &[u8],
    ) -> Result<PluginConfig, ArtifactError> {
        let config = PluginConfig::parse(place, content)?;
        if (config.kind, &config.name, &config.version, config.target.as_str())
            == (self.kind, &self.name, &self.version, target)
        {
            return Ok(config);
        }
        let message = format!(
            "has a plugin.json of {} {} {} for {}, and its index is of {} {} {} for {target}",
            kind_word(config.kind),
            config.name,
            config.version,
            config.target,
            kind_word(self.kind),
            self.name,
            self.version
        );
        Err(ArtifactError::NotAPlugin { place: place.to_owned(), message })
    }
}

impl PluginConfig {
    /// Parses a `plugin.json`; `place` names its origin in errors.
    pub fn parse(place: &str, content: &[u8]) -> Result<Self, ArtifactError> {
        let wrong =
            |message: String| ArtifactError::NotAPlugin { place: place.to_owned(), message };
        let config: PluginConfig = serde_json::from_slice(content).map_err(|error| {
            wrong(format!("plugin.json cannot be read: {error}; it may need a newer pallet"))
        })?;
        let is_library = [".so", ".dylib"].iter().any(|end| config.library.ends_with(end))
            && !config.library.contains(['/', '\\', '\n']);
        // what is for any system holds no code of one
        if config.target == ANY_TARGET && config.library != DESCRIPTION {
            return Err(wrong(format!(
                "is for any system, but plugin.json names the file {:?}, not {DESCRIPTION}",
                config.library
            )));
        }
        if config.target != ANY_TARGET && !is_library {
            return Err(wrong(format!(
                "plugin.json names the library {:?}, which is not a plain file name",
                config.library
            )));
        }
        Ok(config)
    }
}

/// Maximum size of a `plugin.json`, in bytes.
pub(super) const MAX_CONFIG: u64 = 4 << 20;

//! Reads a plugin's artifact: its index, what it says of each target, and `plugin.json`.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::index::{Index, Manifest};
use super::{ArtifactError, Descriptor, Digest, Platform};
use crate::distribution::repository::{Reference, Repository};
use crate::model::{PluginKind, Requirement};
use crate::plugins::kind_word;

/// One version of a plugin in a repository, for all targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// The digest of its index: what is signed and locked.
    pub index: Digest,
    /// What it is for.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The major version of the interface that it was built against.
    pub abi: u64,
    /// The crates that it requires.
    pub requires: Vec<Requirement>,
    /// Its licence, as an SPDX expression; empty if it says none.
    pub licenses: String,
    /// What it was built for, by the names that Rust gives to targets: `x86_64-unknown-linux-gnu`.
    pub targets: BTreeMap<String, Target>,
}

/// A plugin as it was built for one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its manifest; `config` and `layer` are read from that.
    pub manifest: Descriptor,
    /// The platform, in Go's words.
    pub platform: Platform,
    /// The oldest glibc that it runs with: `2.31`. None where it needs no glibc.
    pub glibc: Option<String>,
    /// The digest of its unpacked files: `h1:<base64>`.
    pub h1: String,
    /// The size of its unpacked files in bytes.
    pub size: u64,
}

/// What a target consists of.
#[derive(Debug, Clone, PartialEq)]
pub struct Parts {
    /// `plugin.json`.
    pub config: Descriptor,
    /// The files: a gzipped tar.
    pub layer: Descriptor,
}

/// `plugin.json`: what is known of a plugin without loading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginConfig {
    /// The version of the interface that it was built against.
    pub abi: Version,
    /// What it is for.
    pub kind: PluginKind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The crates that it requires.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// What it was built for, as Rust names it.
    pub target: String,
    /// The oldest glibc that it runs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glibc: Option<String>,
    /// The name of its library among its files.
    pub library: String,
    /// Its licence, as an SPDX expression; empty if it says none.
    #[serde(default)]
    pub licenses: String,
    /// All that it says of itself once it is loaded, as it says it: functions, parameters, options,
    /// capabilities.
    pub manifest: Value,
}

impl Plugin {
    /// Reads what the index says. One request.
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
    /// Reads what the target's manifest points to. One request.
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
    /// Reads a `plugin.json` of one of its targets, which must be of this very plugin and target.
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
    /// Reads the bytes of `plugin.json`; `place` says where they are from.
    pub fn parse(place: &str, content: &[u8]) -> Result<Self, ArtifactError> {
        let wrong =
            |message: String| ArtifactError::NotAPlugin { place: place.to_owned(), message };
        let config: PluginConfig = serde_json::from_slice(content).map_err(|error| {
            wrong(format!("plugin.json cannot be read: {error}; it may need a newer pallet"))
        })?;
        if config.library.contains(['/', '\\', '\n']) || !config.library.ends_with(".so") {
            return Err(wrong(format!(
                "plugin.json names the library {:?}, which is not a plain file name",
                config.library
            )));
        }
        Ok(config)
    }
}

/// More than this in bytes is no `plugin.json`.
pub(super) const MAX_CONFIG: u64 = 4 << 20;

//! The index and the manifests of a plugin, as OCI's image specification writes them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plugin::{Parts, Plugin, Target};
use super::{ArtifactError, Descriptor, Digest, media};
use crate::model::{PluginKind, Requirement};

/// OCI's index: what a version's tag points to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    pub(crate) schema_version: u32,
    #[serde(default)]
    pub(crate) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// OCI's manifest: a plugin's for one target, or a signature's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    pub(crate) schema_version: u32,
    #[serde(default)]
    pub(crate) media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) artifact_type: Option<String>,
    pub(crate) config: Descriptor,
    #[serde(default)]
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Index {
    pub(crate) fn new(
        artifact_type: Option<&str>,
        manifests: Vec<Descriptor>,
        annotations: BTreeMap<String, String>,
    ) -> Self {
        let artifact_type = artifact_type.map(str::to_owned);
        Index {
            schema_version: 2,
            media_type: media::INDEX.to_owned(),
            artifact_type,
            manifests,
            annotations,
        }
    }

    /// Reads a plugin's index; `place` says where it is from.
    pub(crate) fn parse(
        place: &str,
        descriptor: &Descriptor,
        content: &[u8],
    ) -> Result<Self, ArtifactError> {
        let wrong =
            |message: String| ArtifactError::NotAPlugin { place: place.to_owned(), message };
        if descriptor.media_type != media::INDEX {
            return Err(wrong(format!(
                "is no plugin of pallet: it is {}, a plugin is an index",
                descriptor.media_type
            )));
        }
        let index: Index = serde_json::from_slice(content).map_err(|error| {
            wrong(format!(
                "is an \
            index that cannot be read: {error}"
            ))
        })?;
        // some registries refuse artifact types that they do not know; there the annotation says it
        if index.artifact_type.as_deref() != Some(media::PLUGIN)
            && !index.annotations.contains_key(media::KIND_KEY)
        {
            let found = index.artifact_type.unwrap_or_else(|| "an index of images".to_owned());
            return Err(wrong(format!("is no plugin of pallet, but {found}")));
        }
        Ok(index)
    }

    /// What it says of the plugin.
    pub(crate) fn plugin(&self, place: &str, digest: Digest) -> Result<Plugin, ArtifactError> {
        let wrong =
            |message: String| ArtifactError::NotAPlugin { place: place.to_owned(), message };
        let value = |key: &str| self.annotations.get(key).map(String::as_str);
        let needed = |key: &str| {
            value(key).ok_or_else(|| {
                wrong(format!(
                    "its index has no \
            annotation {key}; publish the plugin again"
                ))
            })
        };
        let kind = match needed(media::KIND_KEY)? {
            "crate" => PluginKind::Crate,
            "provider" => PluginKind::Provider,
            other => {
                return Err(wrong(format!(
                    "is a {other}, a kind of plugin that this pallet \
                does not know; it needs a newer pallet"
                )));
            }
        };
        let name = needed(media::NAME_KEY)?;
        if !is_plugin_name(name) {
            return Err(wrong(format!("{name:?} cannot be the name of a plugin")));
        }
        let version = needed(media::VERSION_KEY)?;
        let abi = needed(media::ABI_KEY)?;
        let requires: Vec<Requirement> = match value(media::REQUIRES_KEY) {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                wrong(format!(
                    "its \
                requirements cannot be read: {error}"
                ))
            })?,
        };
        let mut targets = BTreeMap::new();
        for manifest in &self.manifests {
            // entries of other kinds may come with a newer pallet
            let Some(triple) = manifest.annotations.get(media::TARGET_KEY) else { continue };
            let said = |key: &str| {
                let value = manifest.annotations.get(key);
                value.ok_or_else(|| {
                    wrong(format!(
                        "its build for {triple} has no annotation {key}; \
                    publish the plugin again"
                    ))
                })
            };
            let size = said(media::SIZE_KEY)?;
            let target = Target {
                manifest: manifest.clone(),
                platform: manifest.platform.clone().ok_or_else(|| {
                    wrong(format!(
                        "its build for \
                    {triple} names no platform"
                    ))
                })?,
                glibc: manifest.annotations.get(media::GLIBC_KEY).cloned(),
                h1: said(media::H1_KEY)?.clone(),
                size: size.parse().map_err(|_| {
                    wrong(format!(
                        "its build for {triple} has a size \
                    that is no number"
                    ))
                })?,
            };
            if targets.insert(triple.clone(), target).is_some() {
                return Err(wrong(format!("its index names {triple} twice")));
            }
        }
        Ok(Plugin {
            index: digest,
            kind,
            name: name.to_owned(),
            version: version.parse().map_err(|error| {
                wrong(format!(
                    "{version:?} is no version: \
                {error}"
                ))
            })?,
            abi: abi
                .parse()
                .map_err(|_| wrong(format!("{abi:?} is no version of the interface")))?,
            requires,
            licenses: value(media::LICENSES_KEY).unwrap_or_default().to_owned(),
            targets,
        })
    }
}

impl Manifest {
    /// Reads a manifest; `place` says where it is from.
    pub(crate) fn parse(place: &str, content: &[u8]) -> Result<Self, ArtifactError> {
        serde_json::from_slice(content).map_err(|error| ArtifactError::NotAPlugin {
            place: place.to_owned(),
            message: format!("is a manifest that cannot be read: {error}"),
        })
    }

    /// Its config and its one layer. Other layers may come with a newer Pallet and are left alone.
    pub(crate) fn parts(self, place: &str) -> Result<Parts, ArtifactError> {
        let wrong = |message: &str| ArtifactError::NotAPlugin {
            place: place.to_owned(),
            message: message.to_owned(),
        };
        let gzip = |layer: &Descriptor| {
            layer.media_type == media::LAYER || layer.media_type == media::IMAGE_LAYER
        };
        let layer = self.layers.into_iter().find(gzip).ok_or_else(|| {
            wrong(
                "has no layer with the \
            files of a plugin",
            )
        })?;
        if self.config.size > super::plugin::MAX_CONFIG {
            return Err(wrong("its plugin.json is too big"));
        }
        Ok(Parts { config: self.config, layer })
    }
}

/// Names stand in paths, so they are words of `a-z`, `0-9`, `-` and `_`.
pub(crate) fn is_plugin_name(name: &str) -> bool {
    let word = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(word)
        && name.len() <= 100
}

//! Reads a plugin's description from an index and its manifests.

use std::collections::BTreeMap;

use super::index::{Index, Manifest};
use super::plugin::{MAX_CONFIG, Parts, Plugin, Target};
use super::{ArtifactError, Descriptor, Digest, media};
use crate::model::{PluginKind, Requirement};

impl Index {
    /// The plugin that the index describes.
    pub(crate) fn plugin(&self, place: &str, digest: Digest) -> Result<Plugin, ArtifactError> {
        let wrong =
            |message: String| ArtifactError::NotAPlugin { place: place.to_owned(), message };
        let value = |key: &str| self.annotations.get(key).map(String::as_str);
        let needed = |key: &str| {
            value(key).ok_or_else(|| {
                wrong(format!("its index has no annotation {key}; publish the plugin again"))
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
            return Err(wrong(format!("{name:?} is not a valid plugin name")));
        }
        let version = needed(media::VERSION_KEY)?;
        let abi = needed(media::ABI_KEY)?;
        let requires: Vec<Requirement> = match value(media::REQUIRES_KEY) {
            None => Vec::new(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| wrong(format!("its requirements cannot be read: {error}")))?,
        };
        let mut targets = BTreeMap::new();
        for manifest in &self.manifests {
            // newer versions of pallet may add entries of other kinds
            let Some(triple) = manifest.annotations.get(media::TARGET_KEY) else { continue };
            let said = |key: &str| {
                let value = manifest.annotations.get(key);
                value.ok_or_else(|| {
                    wrong(format!(
                        "its build for {triple} has no annotation {key}; publish the plugin again"
                    ))
                })
            };
            let size = said(media::SIZE_KEY)?;
            let target = Target {
                manifest: manifest.clone(),
                platform: manifest
                    .platform
                    .clone()
                    .ok_or_else(|| wrong(format!("its build for {triple} names no platform")))?,
                glibc: manifest.annotations.get(media::GLIBC_KEY).cloned(),
                h1: said(media::H1_KEY)?.clone(),
                size: size
                    .parse()
                    .map_err(|_| wrong(format!("its build for {triple} has an invalid size")))?,
            };
            if targets.insert(triple.clone(), target).is_some() {
                return Err(wrong(format!("its index names {triple} twice")));
            }
        }
        Ok(Plugin {
            index: digest,
            kind,
            name: name.to_owned(),
            version: version
                .parse()
                .map_err(|error| wrong(format!("{version:?} is not a version: {error}")))?,
            abi: abi.parse().map_err(|_| wrong(format!("{abi:?} is not an ABI version")))?,
            requires,
            licenses: value(media::LICENSES_KEY).unwrap_or_default().to_owned(),
            targets,
        })
    }
}

impl Manifest {
    /// Its config and its only layer. Other layers, from newer versions of Pallet, are ignored.
    pub(crate) fn parts(self, place: &str) -> Result<Parts, ArtifactError> {
        let wrong = |message: &str| ArtifactError::NotAPlugin {
            place: place.to_owned(),
            message: message.to_owned(),
        };
        let gzip = |layer: &Descriptor| {
            layer.media_type == media::LAYER || layer.media_type == media::IMAGE_LAYER
        };
        let layer = self
            .layers
            .into_iter()
            .find(gzip)
            .ok_or_else(|| wrong("has no layer with the files of a plugin"))?;
        if self.config.size > MAX_CONFIG {
            return Err(wrong("its plugin.json is too large"));
        }
        Ok(Parts { config: self.config, layer })
    }
}

/// Whether a name has only `a-z`, `0-9`, `-` and `_`: names are used in paths.
pub(crate) fn is_plugin_name(name: &str) -> bool {
    let word = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_'
    };
    name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(word)
        && name.len() <= 100
}

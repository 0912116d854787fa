//! A plugin's index and manifests, in the format of OCI's image specification.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ArtifactError, Descriptor, media};

/// An OCI index: the target of a version's tag.
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

/// An OCI manifest: of a plugin for one target, or of a signature.
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

    /// Parses a plugin's index; `place` names its origin in errors.
    pub(crate) fn parse(
        place: &str,
        descriptor: &Descriptor,
        content: &[u8],
    ) -> Result<Self, ArtifactError> {
        let wrong =
            |message: String| ArtifactError::NotAPlugin { place: place.to_owned(), message };
        if descriptor.media_type != media::INDEX {
            return Err(wrong(format!(
                "is not a Pallet plugin: it is {}, a plugin is an index",
                descriptor.media_type
            )));
        }
        let index: Index = serde_json::from_slice(content)
            .map_err(|error| wrong(format!("is an index that cannot be read: {error}")))?;
        // some registries refuse unknown artifact types; for them the annotation has the type
        if index.artifact_type.as_deref() != Some(media::PLUGIN)
            && !index.annotations.contains_key(media::KIND_KEY)
        {
            let found = index.artifact_type.unwrap_or_else(|| "an index of images".to_owned());
            return Err(wrong(format!("is not a Pallet plugin, but {found}")));
        }
        Ok(index)
    }
}

impl Manifest {
    /// Parses a manifest; `place` names its origin in errors.
    pub(crate) fn parse(place: &str, content: &[u8]) -> Result<Self, ArtifactError> {
        serde_json::from_slice(content).map_err(|error| ArtifactError::NotAPlugin {
            place: place.to_owned(),
            message: format!("is a manifest that cannot be read: {error}"),
        })
    }
}

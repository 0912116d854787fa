//! Builds a plugin's artifact: the files, `plugin.json` and manifest of each build, and the index
//! of all builds.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::index::{Index, Manifest};
use super::pack::{self, Files};
use super::read::is_plugin_name;
use super::source_files::source_files;
use super::{ArtifactError, Descriptor, Digest, Platform, PluginConfig, media};
use crate::model::{PluginKind, PluginSummary};
use crate::plugins::source::DESCRIPTION;
use crate::plugins::{ANY_TARGET, elf, is_source, kind_word, library_name, summary};

/// A library, or a crate in Starlark, to publish. It was checked but not loaded.
#[derive(Debug, Clone)]
pub struct Build {
    /// The plugin's summary.
    pub summary: PluginSummary,
    /// The Rust target that it was built for, or [`ANY_TARGET`].
    pub target: String,
    /// The oldest glibc that it runs with.
    pub glibc: Option<String>,
    platform: Platform,
    /// Its files: the library, or those of the source.
    files: Files,
}

/// Additional information that is published with a plugin's libraries.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The licence, as an SPDX expression.
    pub licenses: String,
    /// The URL of the source code.
    pub source: String,
    /// A one-line description.
    pub description: String,
    /// Additional files such as licences and documentation, by path in the artifact.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The SBOMs of the libraries, by target: CycloneDX as JSON.
    pub sboms: BTreeMap<String, Vec<u8>>,
    /// Use only the media types of images, because some registries refuse all others.
    pub image_types: bool,
}

/// A plugin's artifact, ready to be published.
#[derive(Debug, Clone)]
pub struct Release {
    pub(crate) kind: PluginKind,
    /// The plugin's name.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    pub(crate) abi: semver::Version,
    pub(crate) targets: Vec<ReleasedTarget>,
    pub(crate) annotations: BTreeMap<String, String>,
    artifact_type: Option<&'static str>,
}

/// One target of a release.
#[derive(Debug, Clone)]
pub(crate) struct ReleasedTarget {
    pub(crate) name: String,
    pub(crate) config: Piece,
    pub(crate) layer: Piece,
    pub(crate) manifest: Piece,
}

/// Something to push: its descriptor and its bytes.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) descriptor: Descriptor,
    pub(crate) content: Vec<u8>,
}

impl Build {
    /// Reads a library, or the crate in Starlark of a `crate.toml`, without loading it. Blocks.
    pub fn read(path: &Path) -> Result<Self, ArtifactError> {
        if is_source(path) {
            return Self::read_source(path);
        }
        let wrong = |message: String| ArtifactError::NotAPlugin {
            place: path.display().to_string(),
            message,
        };
        // whoever publishes has the source code
        let library = elf::library(path).map_err(|message| {
            wrong(message.replace("install the plugin again", "build it again"))
        })?;
        if library.summary.kind == PluginKind::Unknown {
            return Err(wrong(
                "is a kind of plugin that this pallet does not know; publish it with a newer pallet"
                    .to_owned(),
            ));
        }
        let content = std::fs::read(path).map_err(ArtifactError::reading(path))?;
        Ok(Build {
            files: [(file_of(&library.summary, &library.target), content)].into(),
            summary: library.summary,
            target: library.target,
            glibc: library.glibc,
            platform: Platform {
                os: "linux".to_owned(),
                architecture: library.architecture.to_owned(),
            },
        })
    }

    /// Writes its files into a directory. Blocks.
    pub fn write_to(&self, directory: &Path) -> Result<(), ArtifactError> {
        for (name, content) in &self.files {
            let path = directory.join(name);
            let parent = path.parent().unwrap_or(directory);
            std::fs::create_dir_all(parent).map_err(ArtifactError::writing(parent))?;
            std::fs::write(&path, content).map_err(ArtifactError::writing(&path))?;
        }
        Ok(())
    }

    fn read_source(path: &Path) -> Result<Self, ArtifactError> {
        let summary = summary(path).map_err(|message| ArtifactError::NotAPlugin {
            place: path.display().to_string(),
            message,
        })?;
        // OCI's words for what runs everywhere
        let unknown = || "unknown".to_owned();
        Ok(Build {
            summary,
            target: ANY_TARGET.to_owned(),
            glibc: None,
            platform: Platform { os: unknown(), architecture: unknown() },
            files: source_files(path.parent().unwrap_or(Path::new("/")))?,
        })
    }
}

impl Release {
    /// Builds the artifact from builds of one plugin. `manifest` is what the loaded plugin returns.
    pub fn new(
        builds: &[Build],
        manifest: &Value,
        details: &Details,
    ) -> Result<Self, ArtifactError> {
        let wrong = |message: String| ArtifactError::NotAPlugin {
            place: "what is to be published".to_owned(),
            message,
        };
        let first = builds.first().ok_or_else(|| wrong("holds no library".to_owned()))?;
        let summary = &first.summary;
        if !is_plugin_name(&summary.name) {
            return Err(wrong(format!(
                "is called {:?}, but a plugin's name begins with a-z and has only a-z, 0-9, - and \
                 _",
                summary.name
            )));
        }
        // what a newer Pallet says is not read
        if let Ok(manifest) = serde_json::from_value::<crate::model::Manifest>(manifest.clone()) {
            manifest.check_names().map_err(wrong)?;
        }
        let mut targets = Vec::new();
        for build in builds {
            if build.summary != *summary {
                let both = format!(
                    "{} {} and {} {}",
                    summary.name, summary.version, build.summary.name, build.summary.version
                );
                return Err(wrong(format!(
                    "holds {both}, or builds that require different crates; publish one version of \
                     one plugin at a time"
                )));
            }
            if targets.iter().any(|target: &ReleasedTarget| target.name == build.target) {
                return Err(wrong(format!("holds {} twice", build.target)));
            }
            targets.push(
                released(build, manifest, details)
                    .map_err(|error| wrong(format!("cannot be packed: {error}")))?,
            );
        }
        targets.sort_by(|a, b| a.name.cmp(&b.name));
        let mut annotations: BTreeMap<String, String> = [
            (media::KIND_KEY, kind_word(summary.kind).to_owned()),
            (media::NAME_KEY, summary.name.clone()),
            (media::VERSION_KEY, summary.version.to_string()),
            (media::ABI_KEY, summary.abi.major.to_string()),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        let requires = if summary.requires.is_empty() {
            String::new()
        } else {
            serde_json::to_string(&summary.requires).unwrap_or_default()
        };
        let optional = [
            (media::REQUIRES_KEY, &requires),
            (media::LICENSES_KEY, &details.licenses),
            (media::SOURCE_KEY, &details.source),
            (media::DESCRIPTION_KEY, &details.description),
        ];
        annotations.extend(
            optional
                .into_iter()
                .filter(|(_, value)| !value.is_empty())
                .map(|(key, value)| (key.to_owned(), value.clone())),
        );
        Ok(Release {
            kind: summary.kind,
            name: summary.name.clone(),
            version: summary.version.clone(),
            abi: summary.abi.clone(),
            targets,
            annotations,
            artifact_type: (!details.image_types).then_some(media::PLUGIN),
        })
    }

    /// The plugin as text: `crate nginx 1.2.0`.
    pub fn title(&self) -> String {
        format!("{} {} {}", kind_word(self.kind), self.name, self.version)
    }

    /// Its Rust targets.
    pub fn targets(&self) -> Vec<&str> {
        self.targets.iter().map(|target| target.name.as_str()).collect()
    }

    /// Its kind.
    pub fn kind(&self) -> PluginKind {
        self.kind
    }

    /// The index of these targets, and of those in an index that is already published.
    pub(crate) fn index(&self, published: Option<&Index>) -> Piece {
        let mut manifests: Vec<Descriptor> =
            published.map(|index| index.manifests.clone()).unwrap_or_default();
        manifests.extend(self.targets.iter().map(|target| target.manifest.descriptor.clone()));
        let key = |entry: &Descriptor| {
            entry.annotations.get(media::TARGET_KEY).cloned().unwrap_or_default()
        };
        manifests.sort_by_key(key);
        manifests.dedup_by_key(|entry| entry.digest);
        let mut annotations = published.map(|index| index.annotations.clone()).unwrap_or_default();
        annotations.extend(self.annotations.clone());
        Piece::json(media::INDEX, &Index::new(self.artifact_type, manifests, annotations))
    }
}

impl Piece {
    fn bytes(media_type: &str, content: Vec<u8>) -> Self {
        Piece { descriptor: Descriptor::of(media_type, &content), content }
    }

    fn json(media_type: &str, value: &impl serde::Serialize) -> Self {
        Piece::bytes(media_type, serde_json::to_vec(value).unwrap_or_default())
    }
}

fn released(build: &Build, manifest: &Value, details: &Details) -> std::io::Result<ReleasedTarget> {
    let summary = &build.summary;
    let library = file_of(summary, &build.target);
    let config = PluginConfig {
        abi: summary.abi.clone(),
        kind: summary.kind,
        name: summary.name.clone(),
        version: summary.version.clone(),
        requires: summary.requires.clone(),
        target: build.target.clone(),
        glibc: build.glibc.clone(),
        library: library.clone(),
        licenses: details.licenses.clone(),
        manifest: manifest.clone(),
    };
    let (config_type, layer_type, artifact_type) = match details.image_types {
        true => (media::IMAGE_CONFIG, media::IMAGE_LAYER, None),
        false => (media::CONFIG, media::LAYER, Some(media::TARGET.to_owned())),
    };
    let config = Piece::json(config_type, &config);
    let mut files: Files = details.files.clone();
    if let Some(sbom) = details.sboms.get(&build.target) {
        files.insert("sbom.cdx.json".to_owned(), sbom.clone());
    }
    files.insert("plugin.json".to_owned(), config.content.clone());
    files.extend(build.files.clone());
    let layer = Piece::bytes(layer_type, pack::pack(&files)?);
    let manifest = Manifest {
        schema_version: 2,
        media_type: media::MANIFEST.to_owned(),
        artifact_type: artifact_type.clone(),
        config: config.descriptor.clone(),
        layers: vec![layer.descriptor.clone()],
        subject: None,
        annotations: BTreeMap::new(),
    };
    let mut manifest = Piece::json(media::MANIFEST, &manifest);
    manifest.descriptor.artifact_type = artifact_type;
    manifest.descriptor.platform = Some(build.platform.clone());
    let said = [
        (media::TARGET_KEY, Some(build.target.clone())),
        (media::ABI_KEY, Some(summary.abi.major.to_string())),
        (media::GLIBC_KEY, build.glibc.clone()),
        (media::H1_KEY, Some(pack::h1(&files))),
        (media::SIZE_KEY, Some(pack::size(&files).to_string())),
    ];
    manifest.descriptor.annotations =
        said.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    Ok(ReleasedTarget { name: build.target.clone(), config, layer, manifest })
}

/// The name of the plugin's file in the build for a target.
fn file_of(summary: &PluginSummary, target: &str) -> String {
    if target == ANY_TARGET {
        return DESCRIPTION.to_owned();
    }
    // the ending of the target's system, not of this one
    let suffix = if target.contains("-apple-") { ".dylib" } else { ".so" };
    library_name(summary.kind, &summary.name, suffix)
}

/// Something that publishing pushes, for display.
#[derive(Debug, Clone, PartialEq)]
pub struct Pushed {
    /// A description: `layer of x86_64-unknown-linux-gnu`.
    pub what: String,
    /// Its media type.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub digest: Digest,
}

impl Release {
    /// Everything that publishing would push with this index, in order.
    pub(crate) fn pieces(&self, index: &Piece) -> Vec<Pushed> {
        let pushed = |what: String, piece: &Piece| Pushed {
            what,
            media_type: piece.descriptor.media_type.clone(),
            size: piece.descriptor.size,
            digest: piece.descriptor.digest,
        };
        let mut pieces = Vec::new();
        for target in &self.targets {
            let of = |what: &str| format!("{what} of {}", target.name);
            pieces.push(pushed(of("plugin.json"), &target.config));
            pieces.push(pushed(of("files"), &target.layer));
            pieces.push(pushed(of("manifest"), &target.manifest));
        }
        pieces.push(pushed(format!("index of {}", self.version), index));
        pieces
    }
}

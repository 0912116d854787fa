//! The parts of a published plugin. `docs/artifact.md` describes the format.

mod descriptor;
mod error;
pub(crate) mod index;
mod manifest;
pub mod media;
mod pack;
mod plugin;
mod publish;
mod read;
mod release;
mod sbom;
mod source_files;

pub use descriptor::{Descriptor, Platform};
pub use error::ArtifactError;
pub use manifest::manifest_for;
pub use pack::unpack;
pub use plugin::{Parts, Plugin, PluginConfig, Target};
pub use publish::{Publication, Publishing};
pub use release::{Build, Details, Pushed, Release};
pub use sbom::sbom;
pub(crate) use source_files::source_files;

pub use crate::plugins::{Digest, tree_digest};

//! What a published plugin consists of. `docs/artifact.md` describes the format.

mod descriptor;
mod digest;
mod error;
pub(crate) mod index;
pub mod media;
mod plugin;

pub use descriptor::{Descriptor, Platform};
pub use digest::Digest;
pub use error::ArtifactError;
pub use plugin::{Parts, Plugin, PluginConfig, Target};

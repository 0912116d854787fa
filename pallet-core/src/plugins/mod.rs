//! Finds, checks and loads plugins.
//!
//! No code of a library runs before its file has been checked.

mod digest;
pub mod elf;
mod error;
mod file;
mod found;
mod library;
mod machine;
mod macho;
mod manifest;
mod name;
mod pin;
mod registry;
mod scan;
mod service;
pub mod source;
mod tree;

pub use digest::Digest;
pub use error::RegistryError;
pub use file::{is_source, plugin_file, summary};
pub use found::{FoundPlugin, PinnedFiles};
pub use machine::{ANY_TARGET, Machine, build_for};
pub use manifest::whole_manifest;
pub use name::kind_word;
pub(crate) use name::library_name;
pub use pin::Pin;
pub use registry::Registry;
pub use tree::{TreeError, tree_digest, tree_digest_of};

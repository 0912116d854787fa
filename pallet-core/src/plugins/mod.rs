//! Finds, checks and loads plugins.
//!
//! No code of a library runs before its file has been checked.

mod digest;
pub mod elf;
mod error;
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
mod tree;

pub use digest::Digest;
pub use error::RegistryError;
pub use found::{FoundPlugin, PinnedFiles};
pub use library::only_library;
pub use machine::Machine;
pub use manifest::whole_manifest;
pub use name::kind_word;
pub(crate) use name::library_name;
pub use pin::Pin;
pub use registry::Registry;
pub use tree::{TreeError, tree_digest, tree_digest_of};

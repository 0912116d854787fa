//! Where artifacts are stored: in a registry, or in an OCI image layout in a directory.

mod access;
mod blob;
mod interface;
mod layout;
mod open;
mod reference;
#[cfg(feature = "registries")]
mod registry;
mod source;

pub use access::Access;
pub use interface::{Content, Repository};
pub use open::{catalog, open};
pub use reference::Reference;
pub use source::Source;

//! Where artifacts are kept: a registry, or an OCI image layout in a directory.

mod access;
mod blob;
mod connect;
mod credentials;
mod interface;
mod layout;
mod open;
mod reference;
mod registry;
mod source;
mod token;

pub use access::Access;
pub use interface::{Content, Repository};
pub use open::{catalog, open};
pub use reference::Reference;
pub use source::Source;

//! Installs plugins: chooses versions, verifies signatures, and puts plugins into the store. No
//! code of a plugin runs here.
//!
//! [`Installer`] is the configuration. A [`Session`] sends requests to repositories and caches the
//! answers.

mod cached;
mod capabilities;
mod choose;
mod contents;
mod copy;
mod entry;
mod error;
mod fetch;
mod installer;
mod local;
mod locate;
mod mirror;
mod outdated;
mod pull_through;
mod requirements;
mod search;
mod session;
mod sources;
mod verify;
mod wanted;

pub use choose::{Chosen, Unlock};
pub use error::InstallError;
pub use installer::{Installer, Mirror, Step};
pub use locate::Located;
pub use mirror::Mirrored;
pub use outdated::Outdated;
pub use search::Listed;
pub use session::Session;
pub use verify::Finding;
pub use wanted::Wanted;

//! What the author of a provider or a configuration crate sees: plain Rust, no types of the boundary.

mod config_crate;
mod error;
pub mod operation;
mod provider;
mod request;

pub use config_crate::{ConfigCrate, Function};
pub(crate) use config_crate::{call as config_crate_call, manifest as config_crate_manifest};
pub use error::{ErrorKind, PluginError};
pub use provider::{Created, Hardware, Image, Location, Provider, RunNodes, ServiceContext};
pub use request::{Request, RequestHost};

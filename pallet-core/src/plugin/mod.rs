//! What the author of a provider or a configuration crate sees: plain Rust, no types of the
//! boundary.

mod clock;
mod config_crate;
mod error;
pub mod files;
pub mod operation;
mod other_service;
mod provider;
mod recorder;
mod request;
mod service;
mod service_host;

pub use clock::unix_time;
pub use config_crate::{ConfigCrate, Function};
pub(crate) use config_crate::{call as config_crate_call, manifest as config_crate_manifest};
pub use error::{ErrorKind, PluginError};
pub use other_service::OtherService;
pub use provider::{
    Created, Credential, Hardware, Image, Lease, Location, NoNodeOptions, Offers, Provider,
    RunNodes, ServiceContext, WantedOffers, node_options,
};
pub use recorder::{RecordedAction, Recorder};
pub use request::{Request, RequestHost};
pub use service::{Invoke, Remote, Service, dispatch};
pub use service_host::ServiceHost;

//! The API for authors of providers and crates: plain Rust, without types of the binary interface.

mod clock;
mod config_crate;
mod directory_lock;
mod error;
mod file_name;
pub mod files;
mod node_store;
pub mod node_tags;
pub mod operation;
mod other_service;
mod provider;
mod recorder;
pub mod registry_credentials;
mod request;
mod service;
mod service_host;
mod system_table;

pub use clock::unix_time;
pub use config_crate::{ConfigCrate, Function};
pub(crate) use config_crate::{call as config_crate_call, manifest as config_crate_manifest};
pub use directory_lock::{DirectoryLock, try_lock, wait_for_lock};
pub use error::{ErrorKind, PluginError};
pub use file_name::check_file_name;
pub use node_store::{NodeRecord, NodeStore};
pub use other_service::OtherService;
pub use provider::{
    Created, Credential, Hardware, Image, Lease, Location, NoNodeOptions, Offers, Provider,
    RunNodes, ServiceContext, WantedOffers, node_options,
};
pub use recorder::{RecordedAction, Recorder};
pub use request::{Declares, Request, RequestHost};
pub use service::{Invoke, Remote, Service, dispatch};
pub use service_host::ServiceHost;
pub use system_table::SystemTable;

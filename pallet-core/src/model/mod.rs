//! Plain data types, one concept per file. No I/O here.

mod capabilities;
mod closest;
mod digest;
mod environment;
mod facts;
mod hostname;
mod known;
mod machine;
mod manifest;
mod natural;
mod node;
mod node_spec;
mod os;
mod os_version;
mod package_transaction;
#[cfg(feature = "host")]
pub(crate) mod pattern;
mod secret_name;
mod target;
mod user;
mod visible;

pub use capabilities::{Capabilities, Lacking, Patterns};
pub use closest::{closest, did_you_mean};
pub use digest::{digest, hex};
pub use environment::{Environment, merge_environment};
pub use facts::Facts;
pub use hostname::is_host_name;
pub use known::Known;
pub use machine::{DefaultRoute, Detail, Details, Disk, FileSystem, Interface, Machine, Network};
pub use manifest::{
    ABI_VERSION, FunctionManifest, Manifest, PluginKind, PluginSummary, Requirement,
};
pub use natural::natural;
pub use node::{Connection, Node, NodeStatus, SshConnection};
pub use node_spec::{
    HardwareSpec, ImageSpec, LocationSpec, NetworkSpec, NodeSpec, PROTECT_TAG, QosSpec,
};
pub use os::{Os, OsFamily, PackageManager, ServiceManager, UnknownOs};
pub use os_version::version_is;
pub use package_transaction::{PackageOptions, PackageTransaction};
pub use secret_name::{defuse_placeholders, replace_secrets, secret_names, secret_placeholder};
pub use target::{KNOWN_AFTER_APPLY, Target};
pub use user::AdminUser;
pub use visible::{acts, visible};

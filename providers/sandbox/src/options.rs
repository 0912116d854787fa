//! The options of a service in pallet.toml.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pallet_core::prelude::*;

pallet_core::parameters! {
    /// Nodes on this machine.
    pub(crate) struct Options {
        /// The root file system of nodes: a directory. Default: the machine's own root.
        #[serde(default)]
        pub(crate) image: Option<PathBuf>,
        /// More root file systems for node-specs, by name: directories.
        #[serde(default)]
        pub(crate) images: BTreeMap<String, PathBuf>,
        /// The IPv4 network of all nodes on this machine, which has the first address.
        #[serde(default = "default_network")]
        pub(crate) network: String,
        /// The bridge to attach nodes to. Services with the same bridge share it.
        #[serde(default = "default_bridge")]
        pub(crate) bridge: String,
        /// The first process of new nodes. `systemd` needs `image` or `images`, and gives nodes
        /// more rights on this machine.
        #[serde(default)]
        pub(crate) init: Init,
        /// Seconds until systemd must have started everything in a node.
        #[serde(default = "default_timeout")]
        pub(crate) timeout: u64
    }
}

/// The first process of a node.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(crate = "pallet_core::serde", rename_all = "snake_case")]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) enum Init {
    /// A shell that only waits. Services run from `/etc/init.d`.
    #[default]
    Minimal,
    /// The image's systemd.
    Systemd,
}

fn default_network() -> String {
    "10.213.0.0/16".to_owned()
}

fn default_timeout() -> u64 {
    120
}

fn default_bridge() -> String {
    "pallet0".to_owned()
}

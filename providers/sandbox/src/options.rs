//! The options of a service in pallet.toml.

use std::collections::BTreeMap;
use std::path::PathBuf;

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
        pub(crate) bridge: String
    }
}

fn default_network() -> String {
    "10.213.0.0/16".to_owned()
}

fn default_bridge() -> String {
    "pallet0".to_owned()
}

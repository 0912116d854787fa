//! The options of a service in pallet.toml.

use std::collections::BTreeMap;
use std::path::PathBuf;

pallet_core::parameters! {
    /// Nodes on this machine.
    pub(crate) struct Options {
        /// The directory of an image that nodes are made from, instead of the machine's own root: a
        /// whole root file system.
        #[serde(default)]
        pub(crate) image: Option<PathBuf>,
        /// More images that a node-spec can ask for, by name: directories, each a whole root file
        /// system.
        #[serde(default)]
        pub(crate) images: BTreeMap<String, PathBuf>,
        /// The IPv4 network of all nodes on this machine. Its first address is the machine's own.
        #[serde(default = "default_network")]
        pub(crate) network: String,
        /// The name of the bridge that nodes are connected to. Services with the same bridge share
        /// it.
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

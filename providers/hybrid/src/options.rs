//! The options of a service in pallet.toml.

use std::collections::BTreeMap;

pallet_core::parameters! {
    /// Several services as one.
    pub(crate) struct Options {
        /// For each group, the service of this project that its nodes are at.
        pub(crate) groups: BTreeMap<String, String>,
        /// The service of all other groups; without it they are an error.
        #[serde(default)]
        pub(crate) default: Option<String>
    }
}

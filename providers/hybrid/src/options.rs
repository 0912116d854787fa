//! The options of a service in pallet.toml.

use std::collections::BTreeMap;

pallet_core::parameters! {
    /// Several services as one.
    pub(crate) struct Options {
        /// The service of each group.
        pub(crate) groups: BTreeMap<String, String>,
        /// The service of all other groups. If omitted, other groups are an error.
        #[serde(default)]
        pub(crate) default: Option<String>
    }
}

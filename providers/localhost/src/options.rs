//! The options of a service in pallet.toml.

pallet_core::parameters! {
    /// This machine itself.
    pub(crate) struct Options {
        /// The group of this machine. Default: the first group that requests a node.
        #[serde(default)]
        pub(crate) group: Option<String>
    }
}

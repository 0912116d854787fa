//! The options of a service in pallet.toml.

pallet_core::parameters! {
    /// This machine itself.
    pub(crate) struct Options {
        /// The group-spec that this machine belongs to. Without it, it belongs to the first one
        /// that asks for a node.
        #[serde(default)]
        pub(crate) group: Option<String>
    }
}

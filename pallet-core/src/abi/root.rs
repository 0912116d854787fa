//! The frozen types: three traits of few methods, and the root module of a plugin.

use abi_stable::StableAbi;
use abi_stable::library::RootModule;
use abi_stable::sabi_trait;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RArc, RBox, RResult, RSlice, RStr, RVec};

/// JSON, or a [`PluginError`](crate::plugin::PluginError) as JSON.
pub type Outcome = RResult<RVec<u8>, RVec<u8>>;

/// What the host does for a plugin: the [operations](crate::plugin::operation) of a request, or
/// those for a service.
#[sabi_trait]
pub trait HostApi: Clone + Send + Sync {
    /// Does an operation. An unknown one is an error of kind `unsupported`.
    #[sabi(last_prefix_field)]
    fn invoke(&self, operation: RStr<'_>, payload: RSlice<'_, u8>) -> Outcome;
}

/// A host that is handed to a plugin.
pub type HostBox = HostApi_TO<'static, RArc<()>>;

/// A configured service.
#[sabi_trait]
pub trait ProviderApi: Send + Sync {
    /// Does an operation of the service: a method of [`Service`](crate::plugin::Service) by its
    /// name. The payload is an array of its arguments.
    #[sabi(last_prefix_field)]
    fn invoke(&self, operation: RStr<'_>, payload: RSlice<'_, u8>) -> Outcome;
}

/// A service that a plugin hands out.
pub type ProviderBox = ProviderApi_TO<'static, RBox<()>>;

/// A configuration crate.
#[sabi_trait]
pub trait CrateApi: Send + Sync {
    /// Calls a function by its name.
    #[sabi(last_prefix_field)]
    fn call(&self, host: HostBox, function: RStr<'_>, arguments: RSlice<'_, u8>) -> Outcome;
}

/// A crate that a plugin hands out.
pub type CrateBox = CrateApi_TO<'static, RBox<()>>;

/// The root module of every plugin.
#[repr(C)]
#[derive(StableAbi)]
#[sabi(kind(Prefix(prefix_ref = PluginModuleRef)))]
pub struct PluginModule {
    /// The plugin's [manifest](crate::model::Manifest).
    pub manifest: extern "C" fn() -> Outcome,
    /// Makes a service of its host, its options and a [context](crate::plugin::ServiceContext), the
    /// latter two as one JSON object.
    pub provider: extern "C" fn(HostBox, RSlice<'_, u8>) -> RResult<ProviderBox, RVec<u8>>,
    /// Hands out the configuration crate.
    #[sabi(last_prefix_field)]
    pub config_crate: extern "C" fn() -> RResult<CrateBox, RVec<u8>>,
}

impl RootModule for PluginModuleRef {
    abi_stable::declare_root_module_statics! {PluginModuleRef}
    const BASE_NAME: &'static str = "pallet_plugin";
    const NAME: &'static str = "pallet_plugin";
    const VERSION_STRINGS: VersionStrings = VersionStrings::new(crate::model::ABI_VERSION);
}

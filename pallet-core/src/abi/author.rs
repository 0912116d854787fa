//! The plugin's side of the boundary: what the export macros expand to calls of.

use std::sync::Arc;

use abi_stable::erased_types::TD_Opaque;
use abi_stable::std_types::{RResult, RSlice, RStr, RVec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guard::{error_from_json, guard, guard_json};
use super::root::{
    CrateApi, CrateApi_TO, CrateBox, HostBox, ProviderApi, ProviderApi_TO, ProviderBox,
};
use super::{Outcome, PluginModule, PluginModuleRef};
use crate::model::Manifest;
use crate::plugin::{
    ConfigCrate, ErrorKind, PluginError, Provider, Request, RequestHost, ServiceContext,
    ServiceHost, config_crate_call, config_crate_manifest, dispatch,
};

/// What [`PluginModule::provider`] takes.
#[derive(Debug, Serialize, Deserialize)]
pub struct ConnectService {
    /// The options in pallet.toml.
    pub options: Value,
    /// What the service is told of its host.
    #[serde(default)]
    pub context: ServiceContext,
}

/// The host as a plugin's request sees it.
struct RemoteHost(HostBox);

impl RequestHost for RemoteHost {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        let payload = serde_json::to_vec(&payload)
            .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))?;
        match self.0.invoke(operation.into(), RSlice::from_slice(&payload)) {
            RResult::ROk(answer) => read(&answer, "the host's answer"),
            RResult::RErr(error) => Err(error_from_json(&error)),
        }
    }
}

fn read<T: DeserializeOwned>(json: &[u8], what: &str) -> Result<T, PluginError> {
    serde_json::from_slice(json).map_err(|error| {
        PluginError::new(ErrorKind::InvalidInput, format!("{what} cannot be read: {error}"))
    })
}

struct CrateOf<C>(std::marker::PhantomData<fn() -> C>);

impl<C: ConfigCrate> CrateApi for CrateOf<C> {
    fn call(&self, host: HostBox, function: RStr<'_>, arguments: RSlice<'_, u8>) -> Outcome {
        guard_json(|| {
            let mut request = Request::new(Arc::new(RemoteHost(host)));
            config_crate_call::<C>(
                &mut request,
                function.as_str(),
                read(arguments.as_slice(), "its arguments")?,
            )
        })
    }
}

struct ServiceOf<P>(P);

impl<P: Provider> ProviderApi for ServiceOf<P> {
    fn invoke(&self, operation: RStr<'_>, payload: RSlice<'_, u8>) -> Outcome {
        guard_json(|| {
            dispatch(&self.0, operation.as_str(), read(payload.as_slice(), "its arguments")?)
        })
    }
}

/// The root module of a crate.
pub fn crate_module<C: ConfigCrate>(manifest: extern "C" fn() -> Outcome) -> PluginModuleRef {
    use abi_stable::prefix_type::PrefixTypeTrait;
    extern "C" fn provider(_: HostBox, _: RSlice<'_, u8>) -> RResult<ProviderBox, RVec<u8>> {
        guard(|| {
            Err(PluginError::new(ErrorKind::Unsupported, "this plugin is a crate, not a provider"))
        })
    }
    extern "C" fn config_crate<C: ConfigCrate>() -> RResult<CrateBox, RVec<u8>> {
        guard(|| Ok(CrateApi_TO::from_value(CrateOf::<C>(std::marker::PhantomData), TD_Opaque)))
    }
    PluginModule { manifest, provider, config_crate: config_crate::<C> }.leak_into_prefix()
}

/// The root module of a provider.
pub fn provider_module<P: Provider>(manifest: extern "C" fn() -> Outcome) -> PluginModuleRef {
    use abi_stable::prefix_type::PrefixTypeTrait;
    extern "C" fn provider<P: Provider>(
        host: HostBox,
        payload: RSlice<'_, u8>,
    ) -> RResult<ProviderBox, RVec<u8>> {
        guard(|| {
            let ConnectService { options, mut context } = read(payload.as_slice(), "its options")?;
            context.host = ServiceHost::new(Arc::new(RemoteHost(host)));
            let options = serde_json::from_value(options)
                .map_err(|error| PluginError::new(ErrorKind::InvalidInput, error.to_string()))?;
            Ok(ProviderApi_TO::from_value(ServiceOf(P::connect(options, context)?), TD_Opaque))
        })
    }
    extern "C" fn config_crate() -> RResult<CrateBox, RVec<u8>> {
        guard(|| {
            Err(PluginError::new(ErrorKind::Unsupported, "this plugin is a provider, not a crate"))
        })
    }
    PluginModule { manifest, provider: provider::<P>, config_crate }.leak_into_prefix()
}

/// A crate's manifest.
pub fn crate_manifest<C: ConfigCrate>(version: &str) -> Outcome {
    guard_json(|| Ok(config_crate_manifest::<C>(version)))
}

/// A provider's manifest.
pub fn provider_manifest<P: Provider>(version: &str) -> Outcome {
    guard_json(|| {
        let options = schemars::schema_for!(P::Options).to_value();
        Ok(Manifest {
            name: P::NAME.into(),
            version: version.into(),
            about: P::ABOUT.into(),
            options,
            ..Manifest::default()
        })
    })
}

//! The host's side of the boundary: opening a library, checking its layout, and calling it.

use std::path::Path;
use std::sync::Arc;

use abi_stable::StableAbi;
use abi_stable::abi_stability::abi_checking::{
    CheckingGlobals, check_layout_compatibility_with_globals,
};
use abi_stable::erased_types::TD_Opaque;
use abi_stable::library::{RootModule, lib_header_from_path};
use abi_stable::sabi_types::VersionNumber;
use abi_stable::std_types::{RArc, RResult, RSlice, RStr};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::author::ConnectService;
use super::guard::{error_from_json, guard_json};
use super::{CrateBox, HostApi, HostApi_TO, HostBox, Outcome, PluginModuleRef, ProviderBox};
use crate::model::{ABI_VERSION, Manifest};
use crate::plugin::{ErrorKind, PluginError, RequestHost};

/// The root module of an open library.
#[derive(Clone, Copy)]
pub(crate) struct Module(PluginModuleRef);

/// Opens a library whose file was checked before. It stays open for the life of the process. The
/// error is one line.
pub(crate) fn open(path: &Path) -> Result<Module, String> {
    // every symbol is resolved now: a missing one is an error here and not a crash later SAFETY:
    // the library's constructors run, which is what installing a plugin allows; it is never closed
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| one_line(&error.to_string()))?;
    std::mem::forget(library);
    let header =
        lib_header_from_path(path).map_err(|_| "it does not export a plugin".to_owned())?;
    let ours =
        VersionNumber::new(PluginModuleRef::VERSION_STRINGS).map_err(|error| error.to_string())?;
    let theirs = VersionNumber::new(header.version_strings()).map_err(|error| error.to_string())?;
    if theirs.major != ours.major {
        return Err(format!(
            "it was built for ABI {theirs}, this pallet has ABI {ABI_VERSION}; install a version \
             of it that was built for ABI {}",
            ours.major
        ));
    }
    let layout = header
        .layout()
        .ok_or("it was built without a description of its layout; build it again")?;
    let own = <PluginModuleRef as StableAbi>::LAYOUT;
    // the check allows the implementation to know more than the interface, so the older side is the
    // interface
    let (interface, implementation) =
        if theirs.minor < ours.minor { (layout, own) } else { (own, layout) };
    check_layout_compatibility_with_globals(interface, implementation, &CheckingGlobals::new())
        .map_err(|errors| {
            format!(
                "its types are not those of ABI {ABI_VERSION} ({} differ); build it against \
            pallet-core {ABI_VERSION}",
                errors.errors.len()
            )
        })?;
    // SAFETY: the layout has just been checked
    let module = unsafe { header.init_root_module_with_unchecked_layout::<PluginModuleRef>() };
    module.map(Module).map_err(|error| one_line(&error.to_string()))
}

fn one_line(text: &str) -> String {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
}

impl Module {
    pub(crate) fn manifest(self) -> Result<Manifest, PluginError> {
        answer((self.0.manifest())())
    }

    /// The manifest as the plugin says it, with what this host does not know of.
    pub(crate) fn whole_manifest(self) -> Result<Value, PluginError> {
        answer((self.0.manifest())())
    }

    pub(crate) fn provider(self, service: &ConnectService) -> Result<OpenProvider, PluginError> {
        let payload = to_json(service)?;
        match (self.0.provider())(
            share(service.context.host.behind()),
            RSlice::from_slice(&payload),
        ) {
            RResult::ROk(provider) => Ok(OpenProvider(provider)),
            RResult::RErr(error) => Err(error_from_json(&error)),
        }
    }

    pub(crate) fn config_crate(self) -> Result<OpenCrate, PluginError> {
        match (self.0.config_crate())() {
            RResult::ROk(config_crate) => Ok(OpenCrate(config_crate)),
            RResult::RErr(error) => Err(error_from_json(&error)),
        }
    }
}

/// A crate of an open library.
pub(crate) struct OpenCrate(CrateBox);

impl OpenCrate {
    pub(crate) fn call(
        &self,
        host: Arc<dyn RequestHost>,
        function: &str,
        arguments: &Value,
    ) -> Result<Value, PluginError> {
        answer(self.0.call(share(host), function.into(), RSlice::from_slice(&to_json(arguments)?)))
    }
}

/// A configured service of an open library.
pub(crate) struct OpenProvider(ProviderBox);

impl OpenProvider {
    pub(crate) fn invoke(&self, operation: &str, payload: &Value) -> Result<Value, PluginError> {
        answer(self.0.invoke(operation.into(), RSlice::from_slice(&to_json(payload)?)))
    }
}

#[derive(Clone)]
struct SharedHost(Arc<dyn RequestHost>);

impl HostApi for SharedHost {
    fn invoke(&self, operation: RStr<'_>, payload: RSlice<'_, u8>) -> Outcome {
        guard_json(|| {
            let payload = serde_json::from_slice(payload.as_slice()).map_err(|error| {
                PluginError::new(
                    ErrorKind::InvalidInput,
                    format!("{operation}: its payload cannot be read: {error}"),
                )
            })?;
            self.0.invoke(operation.as_str(), payload)
        })
    }
}

fn share(host: Arc<dyn RequestHost>) -> HostBox {
    HostApi_TO::from_ptr(RArc::new(SharedHost(host)), TD_Opaque)
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, PluginError> {
    serde_json::to_vec(value)
        .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))
}

fn answer<T: DeserializeOwned>(outcome: Outcome) -> Result<T, PluginError> {
    match outcome {
        RResult::ROk(json) => serde_json::from_slice(&json).map_err(|error| {
            PluginError::new(ErrorKind::Failed, format!("its answer cannot be read: {error}"))
                .with_help("it may need a newer pallet")
        }),
        RResult::RErr(error) => Err(error_from_json(&error)),
    }
}

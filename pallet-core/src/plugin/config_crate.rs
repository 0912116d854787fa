//! A configuration crate: functions that configure nodes.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ErrorKind, PluginError, Request};
use crate::model::{Capabilities, FunctionManifest, Manifest, Patterns};

/// The type that a dylib in `crates/` exports, with `pallet_core::export_crate!(TheType);`.
pub trait ConfigCrate: 'static {
    /// The crate's name: lower case letters, digits and `-`.
    const NAME: &'static str;
    /// A one-line description.
    const ABOUT: &'static str;
    /// The crates that its functions call, each with a semver requirement.
    const REQUIRES: &'static [(&'static str, &'static str)] = &[];
    /// What its functions may do to nodes: constants on top of [`Capabilities::NOTHING`]. The host
    /// refuses anything else. It shows them to whoever installs the crate, and asks again when a
    /// new version does more. If omitted, the crate may do everything, and is shown so.
    const CAPABILITIES: Option<Capabilities<Patterns>> = None;
    /// The systems that it supports, as people call them: `debian 12`, `rocky`. `pallet-cli test`
    /// tests each of them. Default: unspecified.
    const SYSTEMS: &'static [&'static str] = &[];

    /// Its functions. `pallet_core::functions![install, site]` builds the list.
    fn functions() -> Vec<Function>;
}

/// One function of a crate.
#[derive(Clone)]
pub struct Function {
    name: &'static str,
    /// Builds the JSON schema of the parameters. Only a manifest needs it, calls do not.
    parameters: fn() -> Value,
    #[allow(clippy::type_complexity)]
    call: Arc<dyn Fn(&mut Request, Value) -> anyhow::Result<Value> + Send + Sync>,
}

impl Function {
    /// Creates a function with a name. Its parameters and all documentation come from the type of
    /// its arguments.
    pub fn new<A, R>(name: &'static str, function: fn(&mut Request, A) -> anyhow::Result<R>) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + 'static,
    {
        Function {
            name,
            parameters: || schemars::schema_for!(A).to_value(),
            call: Arc::new(move |request, arguments| {
                // serde would take a list for a struct
                if !arguments.is_object() {
                    let message =
                        format!("{name}: arguments must be an object, these are {arguments}");
                    return Err(PluginError::new(ErrorKind::InvalidInput, message).into());
                }
                let arguments = serde_json::from_value(arguments).map_err(|error| {
                    PluginError::new(ErrorKind::InvalidInput, format!("{name}: {error}"))
                })?;
                Ok(serde_json::to_value(function(request, arguments)?)?)
            }),
        }
    }
}

/// The manifest of a crate.
pub(crate) fn manifest<C: ConfigCrate>(version: &str) -> Manifest {
    let functions = C::functions()
        .into_iter()
        .map(|function| {
            let parameters = (function.parameters)();
            let doc = parameters
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned();
            FunctionManifest { name: function.name.to_owned(), doc, parameters }
        })
        .collect();
    Manifest {
        name: C::NAME.into(),
        version: version.into(),
        about: C::ABOUT.into(),
        functions,
        options: Value::Null,
        capabilities: C::CAPABILITIES.map(Capabilities::from),
        systems: C::SYSTEMS.iter().map(|system| (*system).to_owned()).collect(),
    }
}

/// Calls a crate's function by name.
pub(crate) fn call<C: ConfigCrate>(
    request: &mut Request,
    name: &str,
    arguments: Value,
) -> Result<Value, PluginError> {
    let functions = C::functions();
    match functions.iter().find(|function| function.name == name) {
        Some(function) => Ok((function.call)(request, arguments)?),
        None => {
            let names: Vec<_> = functions.iter().map(|function| function.name).collect();
            let message = format!("crate {} has no function `{name}`", C::NAME);
            Err(PluginError::new(ErrorKind::NotFound, message)
                .with_help(format!("it has {}", names.join(", "))))
        }
    }
}

/// Builds the list of a crate's functions by name: `functions![install, site]`.
#[macro_export]
macro_rules! functions {
    ($($function:ident),* $(,)?) => {
        ::std::vec![$($crate::plugin::Function::new(::core::stringify!($function), $function)),*]
    };
}

/// Declares types for parameters and options: `parameters! { /// What it is. pub struct Site { ///
/// A field. name: String } }`.
///
/// Each type derives what a function's arguments need, rejects unknown fields, and needs no
/// dependency except pallet-core.
#[macro_export]
macro_rules! parameters {
    ($($(#[$attribute:meta])* $visibility:vis struct $name:ident { $($fields:tt)* })*) => {$(
        $(#[$attribute])*
        #[derive(
            Debug, Clone, $crate::serde::Serialize, $crate::serde::Deserialize,
            $crate::schemars::JsonSchema
        )]
        #[serde(crate = "::pallet_core::serde", deny_unknown_fields)]
        #[schemars(crate = "::pallet_core::schemars")]
        $visibility struct $name { $($fields)* }
    )*};
}

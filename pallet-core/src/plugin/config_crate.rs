//! A configuration crate: functions that configure nodes.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ErrorKind, PluginError, Request};
use crate::model::{Capabilities, FunctionManifest, Manifest, Patterns};

/// What a dylib in `crates/` exports, with `pallet_core::export_crate!(TheType);`.
pub trait ConfigCrate: 'static {
    /// The crate's name: lower case letters, digits and `-`.
    const NAME: &'static str;
    /// One line on what it is.
    const ABOUT: &'static str;
    /// The crates that its functions call, each with a semver requirement.
    const REQUIRES: &'static [(&'static str, &'static str)] = &[];
    /// What its functions may do to nodes, as constants laid over [`Capabilities::NOTHING`]. The
    /// host refuses what goes beyond, shows it to who installs the crate, and asks again when a new
    /// version does more. Left away, the crate may do everything, and is shown so.
    const CAPABILITIES: Option<Capabilities<Patterns>> = None;
    /// The systems that it is for, as people call them: `debian 12`, `rocky`. `pallet-cli test`
    /// tries each. Left away, the crate does not say.
    const SYSTEMS: &'static [&'static str] = &[];

    /// Its functions; `pallet_core::functions![install, site]` makes the list.
    fn functions() -> Vec<Function>;
}

/// One function of a crate.
#[derive(Clone)]
pub struct Function {
    name: &'static str,
    /// Makes the schema of the parameters: only a manifest needs it, calls do not.
    parameters: fn() -> Value,
    #[allow(clippy::type_complexity)]
    call: Arc<dyn Fn(&mut Request, Value) -> anyhow::Result<Value> + Send + Sync>,
}

impl Function {
    /// A function by its name. Parameters, their documentation and the function's own come from the
    /// type of its arguments.
    pub fn new<A, R>(name: &'static str, function: fn(&mut Request, A) -> anyhow::Result<R>) -> Self
    where
        A: DeserializeOwned + JsonSchema + 'static,
        R: Serialize + 'static,
    {
        Function {
            name,
            parameters: || schemars::schema_for!(A).to_value(),
            call: Arc::new(move |request, arguments| {
                let arguments = serde_json::from_value(arguments).map_err(|error| {
                    PluginError::new(ErrorKind::InvalidInput, format!("{name}: {error}"))
                })?;
                Ok(serde_json::to_value(function(request, arguments)?)?)
            }),
        }
    }
}

/// What a crate says of itself.
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

/// Calls a crate's function by its name.
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

/// The list of a crate's functions, by their names: `functions![install, site]`.
#[macro_export]
macro_rules! functions {
    ($($function:ident),* $(,)?) => {
        ::std::vec![$($crate::plugin::Function::new(::core::stringify!($function), $function)),*]
    };
}

/// Declares types for parameters and options: `parameters! { /// What it is. pub struct Site { ///
/// A field. name: String } }`.
///
/// Each derives what a function's arguments need, refuses unknown fields, and needs no dependency
/// besides pallet-core.
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

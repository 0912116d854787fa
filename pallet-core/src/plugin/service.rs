//! A configured service, wherever its provider is: in this library, or across the binary interface.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::provider::{Created, Credential, Lease, Offers, Provider, RunNodes, WantedOffers};
use super::{ErrorKind, PluginError};
use crate::model::Node;

/// Each line defines one operation of a service: a method of [`Service`], a case of [`dispatch`],
/// and a call of [`Remote`].
macro_rules! operations {
    ($($operation:ident($($argument:ident: $given:ty => $owned:ty),*) -> $answer:ty;)*) => {
        /// A configured service of a provider. It has the methods of [`Provider`], which block.
        #[allow(missing_docs)]
        pub trait Service: Send + Sync {
            fn provider(&self) -> &str;
            $(fn $operation(&self, $($argument: $given),*) -> Result<$answer, PluginError>;)*
        }

        impl<P: Provider> Service for P {
            fn provider(&self) -> &str {
                P::NAME
            }
            $(fn $operation(&self, $($argument: $given),*) -> Result<$answer, PluginError> {
                Ok(Provider::$operation(self, $($argument),*)?)
            })*
        }

        /// Runs an operation of a service by name.
        pub fn dispatch(
            service: &dyn Service, operation: &str, payload: Value
        ) -> Result<Value, PluginError> {
            match operation {
                $(stringify!($operation) => {
                    let ($($argument,)*): ($($owned,)*) = read(payload, "its arguments")?;
                    write(service.$operation($(&$argument),*)?)
                })*
                other => {
                    let message = format!(
                        "provider {} has no operation `{other}`", service.provider()
                    );
                    Err(PluginError::new(ErrorKind::Unsupported, message).with_help("install a \
                        newer version of it"))
                }
            }
        }

        impl<I: Invoke> Service for Remote<I> {
            fn provider(&self) -> &str {
                &self.provider
            }
            $(fn $operation(&self, $($argument: $given),*) -> Result<$answer, PluginError> {
                read(self.invoke.invoke(stringify!($operation), write(($($argument,)*))?)?, "its \
                    answer")
            })*
        }
    };
}

operations! {
    nodes() -> Vec<Node>;
    run_nodes(wanted: &RunNodes => RunNodes) -> Vec<Created>;
    destroy_nodes(ids: &[String] => Vec<String>) -> ();
    tag_node(id: &str => String, tags: &BTreeMap<String, String> => BTreeMap<String, String>) -> ();
    clean_up() -> ();
    offers(wanted: &WantedOffers => WantedOffers) -> Offers;
    credentials() -> Vec<Credential>;
    take_lease(wanted: &Lease => Lease) -> Option<Lease>;
    release_lease(token: &str => String) -> ();
}

/// Sends the operations of a service to the place where it runs.
pub trait Invoke: Send + Sync {
    /// Runs an operation. The payload is an array of its arguments.
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError>;
}

/// A service that runs somewhere else.
pub struct Remote<I> {
    provider: String,
    invoke: I,
}

impl<I: Invoke> Remote<I> {
    /// Creates a service of this provider, reached through `invoke`.
    pub fn new(provider: impl Into<String>, invoke: I) -> Self {
        Remote { provider: provider.into(), invoke }
    }
}

fn read<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, PluginError> {
    serde_json::from_value(value).map_err(|error| {
        PluginError::new(ErrorKind::InvalidInput, format!("{what} cannot be read: {error}"))
            .with_help("it may need a newer pallet")
    })
}

fn write(value: impl Serialize) -> Result<Value, PluginError> {
    serde_json::to_value(value)
        .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))
}

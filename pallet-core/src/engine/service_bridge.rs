//! The host functions that a provider can call.

use std::sync::Arc;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::plugin::operation::{self, InvokeService};
use crate::plugin::{ErrorKind, PluginError, RequestHost, Service, dispatch};

/// The host side of providers. It is built before the services, and each service gets one in its
/// context.
pub struct ServiceBridge {
    /// Called with a provider's progress messages.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
    /// The token that cancels the operation.
    pub cancel: CancellationToken,
    /// Finds another service of the project by its name in pallet.toml.
    #[allow(clippy::type_complexity, reason = "it is a closure")]
    pub services: Box<dyn Fn(&str) -> Result<Arc<dyn Service>, PluginError> + Send + Sync>,
}

impl RequestHost for ServiceBridge {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        match operation {
            operation::PROGRESS => {
                (self.progress)(payload.as_str().unwrap_or_default());
                Ok(Value::Null)
            }
            operation::IS_CANCELLED => Ok(self.cancel.is_cancelled().into()),
            operation::SERVICE => {
                let InvokeService { service, operation, payload } = serde_json::from_value(payload)
                    .map_err(|error| {
                        PluginError::new(ErrorKind::InvalidInput, format!("{operation}: {error}"))
                    })?;
                dispatch((self.services)(&service)?.as_ref(), &operation, payload)
            }
            other => Err(PluginError::new(
                ErrorKind::Unsupported,
                format!("the host has no operation `{other}` for providers"),
            )),
        }
    }
}

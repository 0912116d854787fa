//! What a provider can ask its host.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::operation;
use super::{ErrorKind, PluginError, RequestHost};

/// The host of a service. The default has no host: it ignores progress, is never cancelled, and
/// knows no other services.
#[derive(Clone, Default)]
pub struct ServiceHost(Option<Arc<dyn RequestHost>>);

impl ServiceHost {
    /// Wraps `host`, which runs the [operations](super::operation) for providers.
    pub fn new(host: Arc<dyn RequestHost>) -> Self {
        ServiceHost(Some(host))
    }

    /// Reports progress to the user, in one line, during long operations.
    pub fn progress(&self, message: impl Into<String>) {
        let _ = self.invoke(operation::PROGRESS, Value::String(message.into()));
    }

    /// Whether the user has stopped the operation. Long operations must check this now and then,
    /// and return an error of kind `Cancelled`.
    pub fn is_cancelled(&self) -> bool {
        self.invoke(operation::IS_CANCELLED, Value::Null)
            .is_ok_and(|answer| answer == Value::Bool(true))
    }

    /// Runs an operation by name. Use it for operations that have no method in this version.
    pub fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        match &self.0 {
            Some(host) => host.invoke(operation, payload),
            None => Err(PluginError::new(
                ErrorKind::Unsupported,
                format!("no host is there to do `{operation}`"),
            )),
        }
    }

    /// The host itself.
    #[cfg(feature = "host")]
    pub(crate) fn behind(&self) -> Arc<dyn RequestHost> {
        self.0.clone().unwrap_or_else(|| Arc::new(Nobody))
    }
}

impl fmt::Debug for ServiceHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "ServiceHost" } else { "no ServiceHost" })
    }
}

#[cfg(feature = "host")]
struct Nobody;

#[cfg(feature = "host")]
impl RequestHost for Nobody {
    fn invoke(&self, operation: &str, _: Value) -> Result<Value, PluginError> {
        ServiceHost(None).invoke(operation, Value::Null)
    }
}

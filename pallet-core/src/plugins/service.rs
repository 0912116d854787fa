//! A service of a provider in a dylib.

use serde_json::Value;

use crate::abi::host::OpenProvider;
use crate::plugin::{ErrorKind, Invoke, PluginError};

/// A service of a provider in a dylib.
pub(super) struct LoadedService {
    pub(super) name: String,
    pub(super) open: OpenProvider,
}

impl Invoke for LoadedService {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        self.open.invoke(operation, &payload).map_err(|mut error| {
            if error.kind == ErrorKind::Panicked {
                error.message = format!("provider {}, {operation}: {}", self.name, error.message);
                error.help = "this is a bug in the provider; report it to its author".to_owned();
            }
            error
        })
    }
}

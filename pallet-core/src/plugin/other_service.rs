//! Another service of the project, as the host connects it to a provider.

use serde_json::Value;

use super::operation::{self, InvokeService};
use super::{ErrorKind, Invoke, PluginError, Remote, ServiceHost};

impl ServiceHost {
    /// Another service of the project, by its name in pallet.toml.
    pub fn service(&self, name: &str) -> Remote<OtherService> {
        Remote::new(name, OtherService { host: self.clone(), name: name.to_owned() })
    }
}

/// Another service of the project.
pub struct OtherService {
    host: ServiceHost,
    name: String,
}

impl Invoke for OtherService {
    fn invoke(&self, operation: &str, payload: Value) -> Result<Value, PluginError> {
        let asked =
            InvokeService { service: self.name.clone(), operation: operation.to_owned(), payload };
        let asked = serde_json::to_value(asked)
            .map_err(|error| PluginError::new(ErrorKind::Failed, error.to_string()))?;
        self.host.invoke(operation::SERVICE, asked)
    }
}

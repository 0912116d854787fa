//! The services of a project, opened by name. A service can use the others, as those of the
//! provider `hybrid` do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::ServiceBridge;
use crate::model::did_you_mean;
use crate::plugin::{ErrorKind, PluginError, Service, ServiceContext, ServiceHost};
use crate::plugins::{Registry, RegistryError};

/// A provider with its options.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServiceConfig {
    /// The provider's name.
    pub provider: String,
    /// Its options.
    pub options: Map<String, Value>,
}

/// Opens the configured services.
#[derive(Clone)]
pub struct Services {
    /// Finds providers.
    pub registry: Arc<Registry>,
    /// The configured services, by name.
    pub configured: BTreeMap<String, ServiceConfig>,
    /// The context that all services get. The service's name, data directory and host are filled in
    /// for each.
    pub context: ServiceContext,
    /// Each provider may keep files in a subdirectory of this one, named after it.
    pub data: PathBuf,
    /// Tells the services that the operation was stopped; share it with the engine that uses them.
    pub cancel: CancellationToken,
    /// Called with providers' progress messages, one line each.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Services {
    /// No services yet, for the project with this name.
    pub fn new(project: &str, registry: Arc<Registry>, data: impl Into<PathBuf>) -> Self {
        Services {
            registry,
            configured: BTreeMap::new(),
            context: ServiceContext { project: project.to_owned(), ..ServiceContext::default() },
            data: data.into(),
            cancel: CancellationToken::new(),
            progress: Arc::new(|_| {}),
        }
    }

    /// Opens the service that is configured under this name.
    pub fn open(&self, name: &str) -> Result<Arc<dyn Service>, PluginError> {
        Others { services: self.clone(), open: Mutex::default(), above: Vec::new() }.find(name)
    }

    /// Opens a service under this name with the given configuration, which may differ from that in
    /// `configured`, or be new.
    pub fn open_as(
        &self,
        name: &str,
        service: &ServiceConfig,
    ) -> Result<Arc<dyn Service>, RegistryError> {
        self.open_with(
            name,
            service,
            Others { services: self.clone(), open: Mutex::default(), above: vec![name.to_owned()] },
        )
    }

    fn open_with(
        &self,
        name: &str,
        service: &ServiceConfig,
        others: Others,
    ) -> Result<Arc<dyn Service>, RegistryError> {
        let services = Box::new(move |name: &str| others.find(name));
        let bridge = ServiceBridge {
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
            services,
        };
        let context = ServiceContext {
            service: name.to_owned(),
            data_directory: self.data.join(&service.provider),
            host: ServiceHost::new(Arc::new(bridge)),
            ..self.context.clone()
        };
        self.registry.service(&service.provider, service.options.clone(), context)
    }
}

/// The other services that one service uses, each opened on first use.
struct Others {
    services: Services,
    open: Mutex<BTreeMap<String, Arc<dyn Service>>>,
    /// The chain of services that led here; using one of them again would be a cycle.
    above: Vec<String>,
}

impl Others {
    fn find(&self, name: &str) -> Result<Arc<dyn Service>, PluginError> {
        let invalid = |message: String| PluginError::new(ErrorKind::InvalidInput, message);
        if self.above.iter().any(|above| above == name) {
            return Err(invalid(format!(
                "service {name} leads back to itself: {} -> {name}",
                self.above.join(" -> ")
            )));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = open.get(name) {
            return Ok(service.clone());
        }
        let Some(configured) = self.services.configured.get(name) else {
            let known: Vec<_> = self.services.configured.keys().map(String::as_str).collect();
            let list = || {
                if known.is_empty() {
                    String::new()
                } else {
                    format!("there are {}", known.join(", "))
                }
            };
            let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(list);
            return Err(invalid(format!("there is no service `{name}`")).with_help(help));
        };
        let above = self.above.iter().cloned().chain([name.to_owned()]).collect();
        let others = Others { services: self.services.clone(), open: Mutex::default(), above };
        let service = self
            .services
            .open_with(name, configured, others)
            .map_err(|error| invalid(format!("service {name}: {error}")))?;
        open.insert(name.to_owned(), service.clone());
        Ok(service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_configured_is_an_error_that_says_what_is() {
        let mut services = Services::new("shop", Arc::default(), "/nowhere");
        let error =
            |services: &Services, name: &str| services.open(name).err().unwrap().to_string();
        assert_eq!(error(&services, "lab"), "there is no service `lab`");
        services.configured.insert(
            "lab".to_owned(),
            ServiceConfig { provider: "sandbox".to_owned(), ..ServiceConfig::default() },
        );
        assert!(error(&services, "lob").contains("did you mean `lab`?"));
        let missing = error(&services, "lab");
        assert!(missing.starts_with("service lab: ") && missing.contains("sandbox"), "{missing}");
    }
}

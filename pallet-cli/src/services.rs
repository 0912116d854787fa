//! The services of a project, and what a provider sees of its host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pallet_core::engine::ServiceBridge;
use pallet_core::plugin::{ErrorKind, PluginError, Service, ServiceContext, ServiceHost};
use pallet_core::registry::{Registry, RegistryError};
use tokio_util::sync::CancellationToken;

use crate::project::config;
use crate::project::did_you_mean_or_list;

/// Who is told what providers say while something takes long; nobody until it is set.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Mutex<Option<Told>>>);

type Told = Arc<dyn Fn(&str) + Send + Sync>;

impl Listener {
    /// From now on this one is told.
    pub(crate) fn set(&self, told: Option<Told>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = told;
    }

    fn tell(&self, message: &str) {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(told) = told {
            told(message);
        }
    }
}

/// Makes services of what pallet.toml says of them.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) registry: Arc<Registry>,
    pub(crate) configured: BTreeMap<String, config::Service>,
    /// What all services are told of their host.
    pub(crate) context: ServiceContext,
    /// Each provider has a directory in it.
    pub(crate) data: PathBuf,
    pub(crate) cancel: CancellationToken,
    pub(crate) listener: Listener,
}

impl Services {
    /// The service of this name, made as `service` says.
    pub(crate) fn open(&self, name: &str, service: &config::Service) -> Result<Arc<dyn Service>, RegistryError> {
        let others = Others { services: self.clone(), open: Mutex::default(), above: vec![name.to_owned()] };
        self.open_with(name, service, others)
    }

    fn open_with(&self, name: &str, service: &config::Service, others: Others) -> Result<Arc<dyn Service>, RegistryError> {
        let listener = self.listener.clone();
        let progress = move |message: &str| listener.tell(message);
        let services = Box::new(move |name: &str| others.find(name));
        let bridge = ServiceBridge { progress: Arc::new(progress), cancel: self.cancel.clone(), services };
        let context = ServiceContext {
            service: name.to_owned(),
            data_directory: self.data.join(&service.provider),
            host: ServiceHost::new(Arc::new(bridge)),
            ..self.context.clone()
        };
        self.registry.service(&service.provider, service.options.clone(), context)
    }
}

/// The services that one service asks for, each made when it is first asked for.
struct Others {
    services: Services,
    open: Mutex<BTreeMap<String, Arc<dyn Service>>>,
    /// The services that lead here: none of them may be asked for.
    above: Vec<String>,
}

impl Others {
    fn find(&self, name: &str) -> Result<Arc<dyn Service>, PluginError> {
        let invalid = |message: String| PluginError::new(ErrorKind::InvalidInput, message);
        if self.above.iter().any(|above| above == name) {
            return Err(invalid(format!("service {name} leads back to itself: {} -> {name}", self.above.join(" -> "))));
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(service) = open.get(name) {
            return Ok(service.clone());
        }
        let Some(configured) = self.services.configured.get(name) else {
            let known: Vec<_> = self.services.configured.keys().map(String::as_str).collect();
            let help = did_you_mean_or_list(name, &known, "there are").unwrap_or_default();
            return Err(invalid(format!("there is no service `{name}`")).with_help(help));
        };
        let above = self.above.iter().cloned().chain([name.to_owned()]).collect();
        let others = Others { services: self.services.clone(), open: Mutex::default(), above };
        let service = self.services.open_with(name, configured, others).map_err(|error| invalid(format!("service {name}: {error}")))?;
        open.insert(name.to_owned(), service.clone());
        Ok(service)
    }
}

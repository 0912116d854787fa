//! Builds engine configurations for programs in one call.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{EngineConfig, Phase, ServiceConfig, Services};
use crate::action::{Action, ActionEntry};
use crate::model::PluginKind;
use crate::plugin::{ErrorKind, PluginError, Request};
use crate::plugins::Registry;

/// The crate that bootstraps nodes that Pallet created, if their group has no `bootstrap` phase.
const BOOTSTRAP_CRATE: &str = "automated-admin-user";

impl EngineConfig {
    /// A configuration for a project's nodes at a service of this provider, with these options
    /// (`json!({})`: none). Plugins come from `registry`; the provider may keep files below `data`.
    /// Nothing is contacted yet.
    ///
    /// It is an error if there is no such provider, or if it rejects the options.
    pub fn open(
        project: &str,
        provider: &str,
        options: Value,
        registry: impl Into<Arc<Registry>>,
        data: impl Into<PathBuf>,
    ) -> Result<Self, PluginError> {
        let mut services = Services::new(project, registry.into(), data);
        let options = match options {
            Value::Object(options) => options,
            other => {
                let message = format!(
                    "provider {provider}: its options must be an object, these are {other}"
                );
                return Err(PluginError::new(ErrorKind::InvalidInput, message));
            }
        };
        services
            .configured
            .insert(provider.to_owned(), ServiceConfig { provider: provider.to_owned(), options });
        Self::at(&services, provider)
    }

    /// A configuration for the nodes at the service with this name. If the context of the services
    /// names the admin user, nodes that Pallet creates are bootstrapped with that user
    /// ([`Phase::default_bootstrap`]).
    pub fn at(services: &Services, name: &str) -> Result<Self, PluginError> {
        let context = &services.context;
        let named = !context.admin_user.name.is_empty();
        Ok(EngineConfig {
            registry: services.registry.clone(),
            directory: context.directory.clone(),
            admin_user: context.admin_user.clone(),
            cancel: services.cancel.clone(),
            default_bootstrap: Phase::default_bootstrap(&services.registry).filter(|_| named),
            ..EngineConfig::new(&context.project, services.open(name)?)
        })
    }

    /// Adds an action of the program's own, which phase functions can then add to a request. An
    /// action with the name of a built-in one is never used.
    pub fn with_action<A: Action>(mut self) -> Self {
        self.actions.push(ActionEntry::of::<A>());
        self
    }
}

impl Phase {
    /// The default bootstrap of nodes that Pallet created: creates the admin user with the crate
    /// `automated-admin-user`. `None` if that crate is not installed.
    pub fn default_bootstrap(registry: &Registry) -> Option<Self> {
        registry.names(PluginKind::Crate).contains(&BOOTSTRAP_CRATE).then(|| Phase::new(bootstrap))
    }
}

fn bootstrap(request: &mut Request) -> anyhow::Result<()> {
    request.call(BOOTSTRAP_CRATE, "automated_admin_user", json!({})).map(drop)
}

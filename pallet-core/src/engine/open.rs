//! Configurations of engines for programs: opened in one call.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{EngineConfig, Phase, ServiceConfig, Services};
use crate::action::{Action, ActionEntry};
use crate::model::PluginKind;
use crate::plugin::{ErrorKind, PluginError, Request};
use crate::plugins::Registry;

/// The crate that bootstraps the nodes that Pallet makes, where their group has no `bootstrap` of
/// its own.
const BOOTSTRAP_CRATE: &str = "automated-admin-user";

impl EngineConfig {
    /// For the nodes that a project has at a service of this provider, with these options
    /// (`json!({})`: none). Plugins come from `registry`; the provider may keep files of its own
    /// below `data`. Nothing is reached yet.
    ///
    /// It is an error if there is no such provider, or if it does not take the options.
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

    /// For the nodes at the service of this name. Where the context of the services names the admin
    /// user, nodes that Pallet makes are bootstrapped with that user
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

    /// With an action of the program's own, which phase functions can then add to a request. One
    /// that is called like an action of Pallet's is never found.
    pub fn with_action<A: Action>(mut self) -> Self {
        self.actions.push(ActionEntry::of::<A>());
        self
    }
}

impl Phase {
    /// What bootstraps a node that Pallet made: makes the admin user, by the crate
    /// `automated-admin-user`. `None` if that is not among the plugins.
    pub fn default_bootstrap(registry: &Registry) -> Option<Self> {
        registry.names(PluginKind::Crate).contains(&BOOTSTRAP_CRATE).then(|| Phase::new(bootstrap))
    }
}

fn bootstrap(request: &mut Request) -> anyhow::Result<()> {
    request.call(BOOTSTRAP_CRATE, "automated_admin_user", json!({})).map(drop)
}

//! Engines for programs: opened in one call, and told what else they need.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Engine, Event, Phase, ServiceConfig, Services};
use crate::action::{Action, ActionEntry};
use crate::model::PluginKind;
use crate::plugin::{PluginError, Request};
use crate::plugins::Registry;

/// The crate that bootstraps the nodes that Pallet makes, where their group has no `bootstrap` of
/// its own.
const BOOTSTRAP_CRATE: &str = "automated-admin-user";

impl Engine {
    /// An engine for the nodes that a project has at a service of this provider, with these options
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
                    "provider {provider}: its options must be an object, these \
                    are {other}"
                );
                return Err(PluginError::new(crate::plugin::ErrorKind::InvalidInput, message));
            }
        };
        services
            .configured
            .insert(provider.to_owned(), ServiceConfig { provider: provider.to_owned(), options });
        Self::at(&services, provider)
    }

    /// An engine for the nodes at the service of this name. Where the context of the services names
    /// the admin user, nodes that Pallet makes are bootstrapped with that user
    /// ([`Phase::default_bootstrap`]).
    pub fn at(services: &Services, name: &str) -> Result<Self, PluginError> {
        let service = services.open(name)?;
        let mut engine = Engine::new(&services.context.project, service);
        engine.registry = services.registry.clone();
        engine.directory = services.context.directory.clone();
        engine.admin_user = services.context.admin_user.clone();
        engine.cancel = services.cancel.clone();
        let named = !engine.admin_user.name.is_empty();
        engine.default_bootstrap = Phase::default_bootstrap(&services.registry).filter(|_| named);
        Ok(engine)
    }

    /// With somebody who is told what happens, while it happens. It is called from several threads,
    /// one event at a time or several.
    pub fn on_event(mut self, listener: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.events = Arc::new(listener);
        self
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

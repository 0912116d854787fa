//! The state of a session: its project, service, connections and nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use pallet_core::engine::{Connections, Engine, EngineConfig};
use pallet_core::model::Manifest;
use tokio::runtime::{Handle, Runtime};

use super::interrupt::Interrupt;
use crate::context::{Context, InstalledCrates, ProjectWithPlugins};
use crate::process::{SignalGuard, on_signal};
use crate::project::CrateCatalog;
use crate::project::config::{AdminUserConfig, Service};
use crate::project::star::complete::CompletionScope;
use crate::project::star::{Inputs, PhaseCalls};

/// Where the inputs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionMode {
    /// A terminal; the user can be asked.
    Interactive,
    /// A pipe.
    Piped,
    /// A file.
    Script,
}

/// A session.
pub(crate) struct Session {
    pub(super) base: Context,
    pub(crate) mode: SessionMode,
    /// Operations are written to the journal.
    pub(super) journal: bool,
    state: Mutex<State>,
    /// An `Option`, so that `drop` can shut it down.
    pub(super) runtime: Option<Runtime>,
    pub(super) handle: Handle,
    pub(super) connections: Connections,
    pub(crate) interrupt: Arc<Interrupt>,
    pub(super) live: PhaseCalls,
    /// The project was reloaded, and its names are not bound yet.
    pub(super) reloaded: AtomicBool,
    /// The output of the current input already shows its value.
    pub(super) told: AtomicBool,
    /// The worst exit code of the operations so far.
    pub(super) worst: AtomicU8,
    /// The last known names of nodes, for completion.
    pub(super) nodes: Arc<Mutex<Vec<String>>>,
    pub(super) heard: OnceLock<SignalGuard>,
}

struct State {
    loaded: Arc<ProjectWithPlugins>,
    service: Option<String>,
    /// Services created in the session, in addition to those of pallet.toml.
    services: BTreeMap<String, Service>,
    admin_user: Option<AdminUserConfig>,
}

impl Session {
    /// Opens a session on the project of a context.
    pub(crate) fn open(
        context: &Context,
        mode: SessionMode,
        journal: bool,
    ) -> anyhow::Result<Arc<Self>> {
        let loaded = Arc::new(context.load(context.registry(false)?)?);
        context.confirm_stage(&loaded.project)?;
        if journal {
            context.prune_journals(&loaded.project);
        }
        let runtime = crate::operation::runtime()?;
        let handle = runtime.handle().clone();
        let session = Session {
            base: context.clone(),
            mode,
            journal,
            state: Mutex::new(State {
                loaded,
                service: context.global.service.clone(),
                services: BTreeMap::new(),
                admin_user: None,
            }),
            runtime: Some(runtime),
            handle,
            connections: Connections::new(),
            interrupt: Arc::default(),
            live: PhaseCalls::default(),
            reloaded: AtomicBool::new(false),
            told: AtomicBool::new(false),
            worst: AtomicU8::new(0),
            nodes: Arc::default(),
            heard: OnceLock::new(),
        };
        let (interrupt, interactive) = (session.interrupt.clone(), session.is_interactive());
        session.heard.set(on_signal(move |ends| interrupt.interrupt(interactive, ends))?).ok();
        Ok(Arc::new(session))
    }

    /// The names for completion.
    pub(crate) fn scope(&self, inputs: &Inputs<'_, '_>) -> CompletionScope {
        let loaded = self.loaded();
        let phases =
            loaded.project.groups.iter().flat_map(|group| group.server.phases.keys().cloned());
        let phases: BTreeSet<String> = phases.collect();
        CompletionScope {
            names: inputs.names(),
            groups: loaded.project.groups.iter().map(|group| group.name.clone()).collect(),
            nodes: self.node_names().clone(),
            phases: phases.into_iter().collect(),
            services: self.services().into_keys().collect(),
            crates: loaded
                .registry
                .names(pallet_core::model::PluginKind::Crate)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Lists the names of nodes in the background, for completion.
    pub(super) fn refresh_node_names(&self) {
        if !self.is_interactive() {
            return;
        }
        // without an engine, which would ask for passwords
        let (context, loaded) = (self.context(), self.loaded());
        let Ok((name, service)) = loaded.project.config.service(context.global.service.as_deref())
        else {
            return;
        };
        let Ok(services) = context.services(&loaded) else { return };
        let names = self.nodes.clone();
        self.handle.spawn_blocking(move || {
            let service = services.open_as(&name, &service.config()).ok();
            if let Some(Ok(nodes)) = service.map(|service| service.nodes()) {
                *names.lock().unwrap_or_else(PoisonError::into_inner) =
                    nodes.into_iter().map(|node| node.name).collect();
            }
        });
    }

    /// The services with their providers, including the default one if none is configured.
    pub(super) fn services(&self) -> BTreeMap<String, String> {
        let config = &self.loaded().project.config;
        let mut services: BTreeMap<_, _> = config
            .services
            .iter()
            .map(|(name, service)| (name.clone(), service.provider.clone()))
            .collect();
        if let Ok((name, service)) = config.service(None) {
            services.entry(name).or_insert(service.provider);
        }
        services
    }

    /// The context with the service in use.
    pub(crate) fn context(&self) -> Context {
        let mut context = self.base.clone();
        context.global.service = self.state().service.clone();
        context
    }

    /// The project, with the services and the admin user of the session.
    pub(crate) fn loaded(&self) -> Arc<ProjectWithPlugins> {
        let state = self.state();
        if state.admin_user.is_none() && state.services.is_empty() {
            return state.loaded.clone();
        }
        let ProjectWithPlugins { project, registry } = state.loaded.as_ref();
        let mut project = project.clone();
        project
            .config
            .services
            .extend(state.services.iter().map(|(name, service)| (name.clone(), service.clone())));
        if let Some(admin_user) = &state.admin_user {
            project.config.admin_user = admin_user.clone();
        }
        Arc::new(ProjectWithPlugins { project, registry: registry.clone() })
    }

    /// Whether pallet.toml or the user's configuration contains this service.
    pub(super) fn is_in_files(&self, name: &str) -> bool {
        self.state().loaded.project.config.services.contains_key(name)
    }

    /// Adds a service that is in no file, and uses it from now on.
    pub(super) fn add_service(&self, name: &str, service: Service) -> anyhow::Result<()> {
        self.state().services.insert(name.to_owned(), service);
        self.reload(Some(name.to_owned()))
    }

    /// An engine for one operation; it shares the session's connections.
    pub(crate) fn engine(&self) -> anyhow::Result<Engine> {
        let engine = self.context().engine(&self.loaded())?;
        Ok(engine.with(EngineConfig {
            connections: Some(self.connections.clone()),
            ..engine.config().clone()
        }))
    }

    /// Reloads the project with this service. If it has errors, the session keeps the old one.
    pub(super) fn reload(&self, service: Option<String>) -> anyhow::Result<()> {
        let mut context = self.base.clone();
        // the files do not contain services of the session
        context.global.service =
            service.clone().filter(|name| !self.state().services.contains_key(name));
        let loaded = context.load(context.registry(false)?)?;
        let mut state = self.state();
        (state.loaded, state.service) = (Arc::new(loaded), service);
        self.reloaded.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Sets the admin user (`None`: that of pallet.toml), and returns the previous one.
    pub(super) fn admin_user(&self, user: Option<AdminUserConfig>) -> Option<AdminUserConfig> {
        std::mem::replace(&mut self.state().admin_user, user)
    }

    /// The admin user of pallet.toml.
    pub(super) fn configured_admin_user(&self) -> AdminUserConfig {
        self.state().loaded.project.config.admin_user.clone()
    }

    pub(crate) fn is_interactive(&self) -> bool {
        self.mode == SessionMode::Interactive
    }

    /// The worst exit code of the operations so far.
    pub(crate) fn worst(&self) -> u8 {
        self.worst.load(Ordering::Relaxed)
    }

    /// Whether the output of the last input already shows its value.
    pub(super) fn is_shown(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// Marks the value of the input as shown by its output.
    pub(super) fn mark_shown(&self) {
        self.told.store(true, Ordering::Relaxed);
    }

    pub(super) fn remember(&self, code: u8) {
        self.worst.fetch_max(code, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn node_names(&self) -> MutexGuard<'_, Vec<String>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CrateCatalog for Session {
    fn crates(&self) -> Vec<String> {
        InstalledCrates(self.loaded().registry.clone()).crates()
    }

    fn manifest(&self, name: &str) -> Result<Manifest, String> {
        InstalledCrates(self.loaded().registry.clone()).manifest(name)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // does not wait for abandoned operations
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

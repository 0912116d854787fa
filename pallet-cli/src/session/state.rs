//! A session: one project, worked on from Starlark. `repl` and `run FILE.star` share it.
//!
//! Inputs are evaluated on one thread, operations run on the runtime. While one runs, the
//! evaluating thread calls the phase functions that belong to the session. Connections are kept
//! from one operation to the next.

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

/// How the user is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionMode {
    /// A person types, and can be asked.
    Interactive,
    /// Lines come from a pipe.
    Piped,
    /// A file is run.
    Script,
}

/// A session.
pub(crate) struct Session {
    pub(super) base: Context,
    pub(crate) mode: SessionMode,
    state: Mutex<State>,
    /// Only its owner can end it.
    pub(super) runtime: Option<Runtime>,
    pub(super) handle: Handle,
    pub(super) connections: Connections,
    pub(crate) interrupt: Arc<Interrupt>,
    pub(super) live: PhaseCalls,
    /// The project was loaded again, and its names are not brought in yet.
    pub(super) reloaded: AtomicBool,
    /// What was printed of the input that is evaluated says all of its value.
    pub(super) told: AtomicBool,
    /// The worst exit code that an operation asked for.
    pub(super) worst: AtomicU8,
    /// The names of nodes, as they were last seen.
    pub(super) nodes: Arc<Mutex<Vec<String>>>,
    pub(super) heard: OnceLock<SignalGuard>,
}

struct State {
    loaded: Arc<ProjectWithPlugins>,
    service: Option<String>,
    /// Services that the session made, beside those of pallet.toml.
    services: BTreeMap<String, Service>,
    admin_user: Option<AdminUserConfig>,
}

impl Session {
    /// A session on the project of a context.
    pub(crate) fn open(context: &Context, mode: SessionMode) -> anyhow::Result<Arc<Self>> {
        let loaded = Arc::new(context.load(context.registry(false)?)?);
        let runtime = crate::operation::runtime()?;
        let handle = runtime.handle().clone();
        let session = Session {
            base: context.clone(),
            mode,
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

    /// What can be completed now.
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

    /// Asks the service for the names of its nodes, for completion, without anybody waiting for it.
    pub(super) fn refresh_node_names(&self) {
        if !self.is_interactive() {
            return;
        }
        // no engine: that would ask for passwords
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

    /// The services, also the one that is there where pallet.toml names none, each with its
    /// provider.
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

    /// What commands work with, with the service that is in use.
    pub(crate) fn context(&self) -> Context {
        let mut context = self.base.clone();
        context.global.service = self.state().service.clone();
        context
    }

    /// The project, with the services that the session made, and who the admin user is now.
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

    /// Whether pallet.toml or the user's configuration has this service.
    pub(super) fn is_in_files(&self, name: &str) -> bool {
        self.state().loaded.project.config.services.contains_key(name)
    }

    /// Takes a service in that stands in no file, and uses it from now on.
    pub(super) fn add_service(&self, name: &str, service: Service) -> anyhow::Result<()> {
        self.state().services.insert(name.to_owned(), service);
        self.reload(Some(name.to_owned()))
    }

    /// An engine for one operation, with what is kept between operations.
    pub(crate) fn engine(&self) -> anyhow::Result<Engine> {
        let engine = self.context().engine(&self.loaded())?;
        Ok(engine.with(EngineConfig {
            connections: Some(self.connections.clone()),
            ..engine.config().clone()
        }))
    }

    /// Reads the project anew, for this service. Where there is something wrong with it, the
    /// session goes on with the old one.
    pub(super) fn reload(&self, service: Option<String>) -> anyhow::Result<()> {
        let mut context = self.base.clone();
        // the files know nothing of those that the session made
        context.global.service =
            service.clone().filter(|name| !self.state().services.contains_key(name));
        let loaded = context.load(context.registry(false)?)?;
        let mut state = self.state();
        (state.loaded, state.service) = (Arc::new(loaded), service);
        self.reloaded.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// From now on this is the admin user; `None`: whom pallet.toml names. Gives who it was.
    pub(super) fn admin_user(&self, user: Option<AdminUserConfig>) -> Option<AdminUserConfig> {
        std::mem::replace(&mut self.state().admin_user, user)
    }

    /// Whom pallet.toml names.
    pub(super) fn configured_admin_user(&self) -> AdminUserConfig {
        self.state().loaded.project.config.admin_user.clone()
    }

    pub(crate) fn is_interactive(&self) -> bool {
        self.mode == SessionMode::Interactive
    }

    /// The exit code that operations so far ask for.
    pub(crate) fn worst(&self) -> u8 {
        self.worst.load(Ordering::Relaxed)
    }

    /// Whether what was printed of the last input says all of its value.
    pub(super) fn is_shown(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// What is printed by now says all of the value of the input.
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
        // what was abandoned is not waited for
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

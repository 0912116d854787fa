//! The engine: what operations need, and the few things that all of them do.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::connections::Connections;
use super::error::EngineError;
use super::facts_cache::FactsCache;
use super::operation::{Event, Record, Recorder, Sink, Summary};
use super::spec::{GroupSpec, Phase};
use super::vault::Vault;
use crate::action::ActionEntry;
use crate::model::{AdminUser, Environment, Node};
use crate::plugin::{PluginError, Service};
use crate::plugins::Registry;
use crate::script::Library;
use crate::transport::{ConnectSettings, ScriptOptions, Secret, TransportError};

/// All that operations need. An [`Engine`] is made of one such value and never changes; for an
/// engine that differs, give [`Engine::with`] a value that differs.
#[derive(Clone)]
pub struct EngineConfig {
    /// Names the project; the nodes of its service belong to it.
    pub project: String,
    /// Where nodes are.
    pub service: Arc<dyn Service>,
    /// Where crates are found.
    pub registry: Arc<Registry>,
    /// All groups that the project declares, if that is known. Functions know the nodes of all of
    /// them, whichever groups an operation is for; nodes of any other group are reported.
    pub declared: Option<Vec<GroupSpec>>,
    /// The maximum number of nodes of all groups of an operation together.
    pub max_nodes: u32,
    /// The program's own actions, besides those of [`TABLE`](crate::action::TABLE).
    pub actions: Vec<ActionEntry>,
    /// Local files and templates are relative to this directory.
    pub directory: PathBuf,
    /// The environment, merged from all its scopes.
    pub environment: Environment,
    /// Who Pallet is on the nodes.
    pub admin_user: AdminUser,
    /// The admin user's password for sudo, where sudo asks for one.
    pub sudo_password: Option<Secret>,
    /// The secrets that actions may use.
    pub vault: Arc<Vault>,
    /// How nodes are reached.
    pub connect: ConnectSettings,
    /// Keeps connections from one operation to the next; `None`: each operation opens and closes
    /// its own.
    pub connections: Option<Connections>,
    /// Remembers the facts of nodes, which saves the next run a round trip.
    pub facts_cache: Option<FactsCache>,
    /// The bootstrap of nodes that Pallet made and whose group has no such phase.
    pub default_bootstrap: Option<Phase>,
    /// Who is told what happens, while it happens.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// Who converges, for others who want to at the same time.
    pub holder: Holder,
    /// How long a new node may take until it answers.
    pub boot_timeout: Duration,
    /// Stops the operation: nothing new begins, and every node's outcome is known.
    pub cancel: CancellationToken,
    /// How long a lift or a converge may take; then it is stopped, and each node that was not done
    /// reports what it was doing.
    pub time_limit: Option<Duration>,
}

/// Who converges.
#[derive(Debug, Clone, Default)]
pub struct Holder {
    /// For people: `ops on build-7, process 4242`.
    pub name: String,
    /// Names the machine, as it has run since its last start; empty if that is not known.
    pub machine: String,
}

/// Runs operations on the nodes of a project. Its configuration can be read through it:
/// `engine.project`.
#[derive(Clone)]
pub struct Engine {
    config: Arc<EngineConfig>,
    /// Numbers what is told of one operation.
    recorder: Arc<Recorder>,
    /// Its time is up.
    overdue: Arc<AtomicBool>,
    /// Room for the nodes that are worked on at once, where there are more than may be.
    slots: Option<Arc<Semaphore>>,
    /// What applying scripts are made with.
    pub(super) library: Arc<Library<'static>>,
}

impl EngineConfig {
    /// The maximum number of nodes of a project that sets no other.
    pub const MAX_NODES: u32 = 10_000;

    /// For a service, with defaults for everything else.
    pub fn new(project: impl Into<String>, service: Arc<dyn Service>) -> Self {
        EngineConfig {
            project: project.into(),
            service,
            registry: Arc::default(),
            declared: None,
            max_nodes: EngineConfig::MAX_NODES,
            actions: Vec::new(),
            directory: PathBuf::from("."),
            environment: Environment::default(),
            admin_user: AdminUser::default(),
            sudo_password: None,
            vault: Arc::default(),
            connect: ConnectSettings::default(),
            connections: None,
            facts_cache: None,
            default_bootstrap: None,
            sinks: Vec::new(),
            holder: Holder::default(),
            boot_timeout: Duration::from_secs(300),
            cancel: CancellationToken::new(),
            time_limit: None,
        }
    }
}

impl Deref for Engine {
    type Target = EngineConfig;

    fn deref(&self) -> &EngineConfig {
        &self.config
    }
}

impl Engine {
    /// An engine with this configuration.
    pub fn new(config: EngineConfig) -> Self {
        Engine {
            config: Arc::new(config),
            recorder: Arc::default(),
            overdue: Arc::default(),
            slots: None,
            library: Arc::default(),
        }
    }

    /// This engine with another configuration: `engine.with(EngineConfig { time_limit,
    /// ..engine.config().clone() })`.
    pub fn with(&self, config: EngineConfig) -> Self {
        Engine { config: Arc::new(config), ..self.clone() }
    }

    /// Its configuration.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// This engine with one more sink for its records.
    pub fn with_sink(&self, sink: impl Sink + 'static) -> Self {
        let mut config = self.config().clone();
        config.sinks.push(Arc::new(sink));
        self.with(config)
    }

    /// This engine with a function that is called for what happens, while it happens. It is called
    /// from several threads, for one event at a time.
    pub fn on_event(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.with_sink(move |record: &Record| listener(&record.event))
    }

    /// The project's nodes at the service.
    pub async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        self.ask(|service| service.nodes()).await
    }

    /// Whether the operation was stopped because its time was up.
    pub fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }

    /// Tells the sinks of something that happens beside the engine's own work, such as what a
    /// provider says while something takes long. It belongs to the first operation of this engine.
    pub fn message(&self, level: &str, message: &str) {
        let (level, message) = (level.to_owned(), message.to_owned());
        self.tell(Event::Message { node: None, level, message });
    }

    /// Begins an operation. All that its engine tells belongs to it.
    pub(super) fn begin(&self) -> Begun {
        let recorder = if self.recorder.take() { self.recorder.clone() } else { Arc::default() };
        Begun { engine: Engine { recorder, ..self.clone() }, began: Instant::now() }
    }

    /// This engine for an operation on `nodes` nodes, with work on at most `parallel` of them at
    /// the same time. A node counts from when its shell has answered.
    pub(super) fn limited(&self, nodes: usize, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        Engine {
            slots: (nodes > parallel).then(|| Arc::new(Semaphore::new(parallel))),
            ..self.clone()
        }
    }

    /// For what runs on a node: in a slot of the operation, without a limit of time.
    pub(super) fn script_options(&self) -> ScriptOptions {
        ScriptOptions { slots: self.slots.clone(), ..ScriptOptions::default() }
    }

    /// Tells the sinks what happens.
    pub(super) fn tell(&self, event: Event) {
        self.recorder.record(event.redacted(&self.vault), &self.sinks);
    }

    /// Does an operation within its time.
    pub(super) async fn in_time<T>(&self, operation: impl Future<Output = T>) -> T {
        let Some(limit) = self.time_limit else { return operation.await };
        let mut operation = std::pin::pin!(operation);
        tokio::select! {
            done = &mut operation => done,
            () = tokio::time::sleep(limit) => {
                self.overdue.store(true, Ordering::Relaxed);
                let message = format!("its time is up ({} s): it is stopped", limit.as_secs_f64());
                self.tell(Event::Warning { node: None, message });
                self.cancel.cancel();
                operation.await
            }
        }
    }

    /// Does some work, unless the operation is stopped first; `what` is what was not done then.
    pub(super) async fn unless_stopped<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, TransportError>>,
    ) -> Result<T, TransportError> {
        tokio::select! {
            result = work => result,
            () = self.cancel.cancelled() => Err(self.why_stopped(what)),
        }
    }

    /// Why something was not done that was stopped.
    pub(super) fn why_stopped(&self, what: &str) -> TransportError {
        match self.time_limit {
            Some(limit) if self.is_overdue() => TransportError::Overdue {
                message: format!(
                    "{what} was not done when the time was up ({} s)",
                    limit.as_secs_f64()
                ),
            },
            _ => TransportError::Cancelled,
        }
    }

    /// Asks the service something, on a thread that may block.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Service) -> Result<T, PluginError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let service = self.service.clone();
        let provider = service.provider().to_owned();
        tokio::task::spawn_blocking(move || question(service.as_ref()))
            .await
            .map_err(|error| EngineError::Task(error.to_string()))?
            .map_err(|error| EngineError::Service { provider, error })
    }
}

/// An operation that began.
pub(super) struct Begun {
    /// The engine that tells of it.
    pub(super) engine: Engine,
    began: Instant,
}

impl Begun {
    /// Tells how the operation ended, if it got as far as to start.
    pub(super) fn end<T: Summary>(self, done: Result<T, EngineError>) -> Result<T, EngineError> {
        if self.engine.recorder.has_started() {
            let totals = done.as_ref().ok().and_then(Summary::totals).unwrap_or_default();
            let seconds = self.began.elapsed().as_secs_f64();
            self.engine.tell(Event::Finished { totals, seconds });
        }
        done
    }
}

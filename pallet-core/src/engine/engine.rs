//! The engine: what operations need, and what they have in common.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
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

/// Everything that operations need. An [`Engine`] is built from one configuration and never
/// changes; to change something, pass a new configuration to [`Engine::with`].
#[derive(Clone)]
pub struct EngineConfig {
    /// The project's name; the nodes of its service belong to it.
    pub project: String,
    /// Finds, creates and destroys nodes.
    pub service: Arc<dyn Service>,
    /// Finds crates.
    pub registry: Arc<Registry>,
    /// All groups that the project declares, if known. Functions see the nodes of all of them,
    /// whichever groups an operation is for. Nodes of any other group are reported.
    pub declared: Option<Vec<GroupSpec>>,
    /// The maximum number of nodes in all groups of an operation together.
    pub max_nodes: u32,
    /// The program's own actions, in addition to [`TABLE`](crate::action::TABLE).
    pub actions: Vec<ActionEntry>,
    /// The directory that local files and templates are relative to.
    pub directory: PathBuf,
    /// The environment, merged from all scopes.
    pub environment: Environment,
    /// The admin user: Pallet's user on the nodes.
    pub admin_user: AdminUser,
    /// The admin user's password for sudo, if sudo asks for one.
    pub sudo_password: Option<Secret>,
    /// The secrets that actions may use.
    pub vault: Arc<Vault>,
    /// How to connect to nodes.
    pub connect: ConnectSettings,
    /// Keeps connections from one operation to the next; `None`: each operation opens and closes
    /// its own.
    pub connections: Option<Connections>,
    /// Remembers the facts of nodes, which saves the next run a round trip.
    pub facts_cache: Option<FactsCache>,
    /// The bootstrap of nodes that Pallet created and whose group has no `bootstrap` phase.
    pub default_bootstrap: Option<Phase>,
    /// Receive the events of operations as they happen.
    pub sinks: Vec<Arc<dyn Sink>>,
    /// Who holds the lease of a converge, shown to others who want to converge at the same time.
    pub holder: Holder,
    /// Timeout for a new node to answer.
    pub boot_timeout: Duration,
    /// Stops the operation: no new step begins, and every node still gets an outcome.
    pub cancel: CancellationToken,
    /// Time limit of a lift or a converge. After it, the operation is stopped, and each unfinished
    /// node reports what it was doing.
    pub time_limit: Option<Duration>,
}

/// Who holds the lease of a converge.
#[derive(Debug, Clone, Default)]
pub struct Holder {
    /// For people: `ops on build-7, process 4242`.
    pub name: String,
    /// Identifies the machine and its current boot; empty if unknown.
    pub machine: String,
}

/// Runs operations on the nodes of a project. Configuration fields are accessible through it:
/// `engine.project`.
#[derive(Clone)]
pub struct Engine {
    config: Arc<EngineConfig>,
    /// Numbers the records of one operation.
    recorder: Arc<Recorder>,
    /// The time limit has passed.
    overdue: Arc<AtomicBool>,
    /// Limits how many nodes are worked on at once, if there are more nodes than the limit.
    slots: Option<Arc<Semaphore>>,
    /// Nodes that do not answer, by ID, with why. They fail, and the operation is for the others.
    /// `None`: the operation is for nodes that all answer.
    silent: Option<Arc<Mutex<BTreeMap<String, String>>>>,
    /// The shell library from which apply scripts are built.
    pub(super) library: Arc<Library<'static>>,
}

impl EngineConfig {
    /// The default maximum number of nodes of a project.
    pub const MAX_NODES: u32 = 10_000;

    /// A configuration for a service, with defaults for everything else.
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
            silent: None,
            library: Arc::default(),
        }
    }

    /// A copy of this engine with another configuration: `engine.with(EngineConfig { time_limit,
    /// ..engine.config().clone() })`.
    pub fn with(&self, config: EngineConfig) -> Self {
        Engine { config: Arc::new(config), ..self.clone() }
    }

    /// This engine's configuration.
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// A copy of this engine with one more sink for its records.
    pub fn with_sink(&self, sink: impl Sink + 'static) -> Self {
        let mut config = self.config().clone();
        config.sinks.push(Arc::new(sink));
        self.with(config)
    }

    /// A copy of this engine that calls a function for each event as it happens. The function is
    /// called from several threads, but only for one event at a time.
    pub fn on_event(&self, listener: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.with_sink(move |record: &Record| listener(&record.event))
    }

    /// The project's nodes at the service.
    pub async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        self.ask(|service| service.nodes()).await
    }

    /// Whether the operation was stopped by its time limit.
    pub fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }

    /// Sends the sinks a message from outside the engine, such as a provider's progress. It is
    /// recorded with the first operation of this engine.
    pub fn message(&self, level: &str, message: &str) {
        let (level, message) = (level.to_owned(), message.to_owned());
        self.tell(Event::Message { node: None, level, message });
    }

    /// Begins an operation. Everything that the returned engine reports belongs to it. Secrets are
    /// looked up anew.
    pub(super) fn begin(&self) -> Begun {
        self.vault.renew();
        let recorder = if self.recorder.take() { self.recorder.clone() } else { Arc::default() };
        let engine = Engine { recorder, ..self.with_silent() };
        Begun { engine, began: Instant::now() }
    }

    /// A copy of this engine for an operation in which nodes may not answer.
    pub(super) fn with_silent(&self) -> Self {
        Engine { silent: Some(self.silent.clone().unwrap_or_default()), ..self.clone() }
    }

    /// The same, for an operation that needs to know all nodes that it is for.
    pub(super) fn without_silent(&self) -> Self {
        Engine { silent: None, ..self.clone() }
    }

    /// Remembers that a node does not answer, and why. `false`: the operation cannot begin then.
    pub(super) fn set_silent(&self, id: &str, why: String) -> bool {
        let Some(silent) = &self.silent else { return false };
        silent.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), why);
        true
    }

    /// Why a node does not answer, if it was asked before.
    pub(super) fn why_silent(&self, id: &str) -> Option<String> {
        let silent = self.silent.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        silent.get(id).cloned()
    }

    /// A copy of this engine for an operation on `nodes` nodes that works on at most `parallel` of
    /// them at the same time. A node takes a slot once its shell has answered.
    pub(super) fn limited(&self, nodes: usize, parallel: usize) -> Self {
        let parallel = parallel.max(1);
        Engine {
            slots: (nodes > parallel).then(|| Arc::new(Semaphore::new(parallel))),
            ..self.clone()
        }
    }

    /// The same, for work that lasts as long as the operation.
    pub(super) fn without_slots(&self) -> Self {
        Engine { slots: None, ..self.clone() }
    }

    /// Options for scripts on a node: within the operation's slots, without a timeout.
    pub(super) fn script_options(&self) -> ScriptOptions {
        ScriptOptions { slots: self.slots.clone(), ..ScriptOptions::default() }
    }

    /// Sends an event to the sinks, with secrets redacted.
    pub(super) fn tell(&self, event: Event) {
        self.recorder.record(event.redacted(&self.vault), &self.sinks);
    }

    /// Sends an event that announces a change. The change may begin once this returns `Ok`: the
    /// event is then kept by all durable sinks.
    pub(super) async fn intend(&self, event: Event) -> Result<(), EngineError> {
        self.tell(event);
        self.commit().await
    }

    /// Returns once all durable sinks keep everything that was sent so far.
    pub(super) async fn commit(&self) -> Result<(), EngineError> {
        self.recorder.commit(&self.sinks).await.map_err(EngineError::Journal)
    }

    /// Runs an operation within its time limit.
    pub(super) async fn in_time<T>(&self, operation: impl Future<Output = T>) -> T {
        let Some(limit) = self.time_limit else { return operation.await };
        let mut operation = std::pin::pin!(operation);
        tokio::select! {
            done = &mut operation => done,
            () = tokio::time::sleep(limit) => {
                self.overdue.store(true, Ordering::Relaxed);
                let message = format!("timed out after {} s; stopping", limit.as_secs_f64());
                self.tell(Event::Warning { node: None, message });
                self.cancel.cancel();
                operation.await
            }
        }
    }

    /// Does some work, unless the operation is stopped first; `what` names the work for the error.
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

    /// The error for work that was stopped.
    pub(super) fn why_stopped(&self, what: &str) -> TransportError {
        match self.time_limit {
            Some(limit) if self.is_overdue() => TransportError::Overdue {
                message: format!(
                    "timed out after {} s before {what} was done",
                    limit.as_secs_f64()
                ),
            },
            _ => TransportError::Cancelled,
        }
    }

    /// Sets a tag of a node at its provider, after this was announced.
    pub(super) async fn tag_node(
        &self,
        node: &Node,
        tag: &str,
        value: &str,
    ) -> Result<(), EngineError> {
        let (id, tag) = (node.id.clone(), tag.to_owned());
        self.intend(Event::Tagging { node: node.name.clone(), tag: tag.clone() }).await?;
        let tags = [(tag, value.to_owned())].into();
        self.ask(move |service| service.tag_node(&id, &tags)).await
    }

    /// Calls the service on a thread that may block.
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

/// An operation that has begun.
pub(super) struct Begun {
    /// The engine that records it.
    pub(super) engine: Engine,
    began: Instant,
}

impl Begun {
    /// Reports the end of the operation, if it got as far as starting.
    pub(super) fn end<T: Summary>(self, done: Result<T, EngineError>) -> Result<T, EngineError> {
        if self.engine.recorder.has_started() {
            let totals = done.as_ref().ok().and_then(Summary::totals).unwrap_or_default();
            let seconds = self.began.elapsed().as_secs_f64();
            self.engine.tell(Event::Finished { totals, seconds });
        }
        done
    }
}

//! Observe, plan, apply; converge and lift; what happened, as events.
//!
//! An [`Engine`] holds what an operation needs: a service, the plugins, the environment and the way
//! to reach nodes. [`Engine::lift`] configures nodes, [`Engine::converge`] makes the right number
//! of them exist first. `examples/` has programs for each of the topics, and `docs/from-code.md`
//! leads through them.
//!
//! ```no_run
//! use pallet_core::engine::{Engine, GroupSpec, LiftOptions, ServerSpec};
//! use pallet_core::prelude::*;
//! use pallet_core::plugins::Registry;
//!
//! # async fn program() -> Result<()> {
//! let registry = Registry::scan(&["/usr/lib/pallet".into()]);
//! let engine = Engine::open("shop", "sandbox", json!({}), registry, "/var/lib/shop")?
//!     .on_event(|event| println!("{event}"));
//!
//! let motd = |request: &mut Request| request.add(RemoteFile::content("/etc/motd", "welcome\n"));
//! let groups = [GroupSpec::new("web", Some(2), ServerSpec::new().phase("configure", motd))?];
//! let options = LiftOptions::default();
//! let outcome = engine.converge(&groups, &options, |plan| Ok(plan.destroy.is_empty())).await?;
//! outcome.context("the plan destroys nodes")?.check()?;
//! # Ok(())
//! # }
//! ```

mod ad_hoc;
mod apply;
mod check;
mod connections;
mod considered;
mod converge;
mod copy;
mod declare;
mod event;
mod excerpt;
mod explain;
mod facts_cache;
mod frames;
mod graph;
mod lift;
mod line;
mod login;
mod node_apply;
mod node_ask;
mod node_connect;
mod node_run;
mod on_nodes;
mod open;
mod outcome;
mod predicted;
mod prepare;
mod request;
mod scope;
mod select;
mod service_bridge;
mod services;
mod spec;
mod survey;
mod system;
pub mod template;
mod templates;
pub mod trial;
mod vault;
mod workspace;

pub use ad_hoc::{RunAs, RunOptions, RunOutcome, RunResult, shell_line};
pub use check::Fault;
pub use connections::Connections;
pub use converge::{ConvergePlan, PlanError};
pub use copy::{Copied, CopyOptions, CopyOutcome, CopyRequest, CopyResult, Place};
pub use event::{Event, PlannedChange};
pub use explain::{
    Condition as ExplainedCondition, ExplainOptions, ExplainedAction, ExplainedPhase,
    ExplainedUpload, Explanation, Observed,
};
pub use facts_cache::FactsCache;
pub use graph::{Graph, GraphFunction, GraphGroup, GraphPhase};
pub use lift::{LiftOptions, PhaseChoice, natural};
pub use line::Failures;
pub use node_run::BOOTSTRAPPED_TAG;
pub use outcome::{NodeError, NodeOutcome, NodeResult, Outcome};
pub use service_bridge::ServiceBridge;
pub use services::{ServiceConfig, Services};
pub use spec::{
    ChoiceError, ClusterSpec, GroupSpec, Phase, PhaseError, PhaseFunction, ServerSpec, SpecError,
};
pub use survey::Files;
pub use vault::{SecretSource, Vault};

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::action::ActionEntry;
use crate::model::{AdminUser, Environment, Node};
use crate::plugin::PluginError;
use crate::plugin::Service;
use crate::plugins::Registry;
use crate::script::Library;
use crate::transport::{ConnectSettings, Secret, TransportError, Turn};

/// All that operations need.
#[derive(Clone)]
pub struct Engine {
    /// Names the project; the nodes of its service belong to it.
    pub project: String,
    /// All groups that the project declares, if that is known. Functions know the nodes of all of
    /// them, whichever groups an operation is for; and nodes of any other group are told of.
    pub declared: Option<Vec<GroupSpec>>,
    /// The most nodes that the groups of an operation may want: a slip of the finger makes no
    /// million nodes.
    pub max_nodes: u32,
    /// Where nodes are.
    pub service: Arc<dyn Service>,
    /// Where crates are found.
    pub registry: Arc<Registry>,
    /// The program's own actions, besides those of [`TABLE`](crate::action::TABLE).
    pub actions: Vec<ActionEntry>,
    /// What local files and templates are relative to.
    pub directory: PathBuf,
    /// The environment, merged from all its scopes.
    pub environment: Environment,
    /// Who Pallet is on the nodes.
    pub admin_user: AdminUser,
    /// The admin user's password for sudo, where it asks for one.
    pub sudo_password: Option<Secret>,
    /// The secrets that actions may use.
    pub vault: Arc<Vault>,
    /// How nodes are reached.
    pub connect: ConnectSettings,
    /// Where connections are kept from one operation to the next; `None`: each operation opens and
    /// closes its own.
    pub connections: Option<Connections>,
    /// Where the facts of nodes are remembered, which saves the next run a round trip.
    pub facts_cache: Option<FactsCache>,
    /// The bootstrap of nodes that Pallet made and whose group has no such phase.
    pub default_bootstrap: Option<Phase>,
    /// Who is told what happens, while it happens. Called from several threads.
    pub events: Arc<dyn Fn(Event) + Send + Sync>,
    /// Who converges, for others who want to meanwhile.
    pub holder: Holder,
    /// How long a new node may take until it answers.
    pub boot_timeout: Duration,
    /// Stops the operation: nothing new begins, and every node's outcome is known.
    pub cancel: CancellationToken,
    /// How long a lift or a converge may take; then it is stopped, and each node that was not done
    /// says what it was at.
    pub time_limit: Option<Duration>,
    /// Its time is up.
    overdue: Arc<AtomicBool>,
    /// Room for the nodes that are worked on at once, where there are more than may be.
    turns: Option<Arc<Semaphore>>,
    /// What applying scripts are made with.
    library: Arc<Library<'static>>,
}

/// Who converges.
#[derive(Debug, Clone, Default)]
pub struct Holder {
    /// For people: `ops on build-7, process 4242`.
    pub name: String,
    /// Names the machine, as it has run since its last start; empty if that is not known.
    pub machine: String,
}

/// An operation that could not begin.
#[derive(Debug, Clone, Error)]
pub enum EngineError {
    /// The service said no.
    #[error("service {provider}: {error}")]
    Service {
        /// Its provider.
        provider: String,
        /// What it said.
        error: PluginError,
    },
    /// A group's count is not known.
    #[error("group {group} has no count; declare one, or say {group}=N")]
    NoCount {
        /// The group.
        group: String,
    },
    /// More nodes than there may be.
    #[error(
        "the groups want {wanted} nodes ({group} alone {count}); the limit is {limit}: if they are \
         meant, raise `max_nodes` ([project] in pallet.toml)"
    )]
    TooManyNodes {
        /// How many.
        wanted: u64,
        /// The group that wants the most.
        group: String,
        /// How many it wants.
        count: u32,
        /// How many there may be.
        limit: u32,
    },
    /// The caller did not agree.
    #[error("{0}")]
    Refused(String),
    /// Another converge is at work on the project's nodes.
    #[error(
        "another converge or down is at work on this project's nodes: {holder}; wait until it is \
         done (its lease ends in {seconds} s unless it is renewed)"
    )]
    Leased {
        /// Whose.
        holder: String,
        /// How long its lease lasts, in seconds.
        seconds: u64,
    },
    /// A name that no node and no group has.
    #[error("there is no {what} {name}; {help}")]
    NoSuchName {
        /// What was looked for: `node or group`.
        what: &'static str,
        /// The name.
        name: String,
        /// The name that was probably meant, or those that there are.
        help: String,
    },
    /// A group without nodes.
    #[error("group {group} has no nodes; converge makes them")]
    NoNodes {
        /// The group.
        group: String,
    },
    /// A bug.
    #[error("a task of the engine ended early: {0}")]
    Task(String),
}

impl From<EngineError> for PluginError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Service { error, .. } => error,
            other => PluginError::new(crate::plugin::ErrorKind::Failed, other.to_string()),
        }
    }
}

impl Engine {
    /// The most nodes that a project may have unless it says otherwise.
    pub const MAX_NODES: u32 = 10_000;

    /// An engine for a service, with defaults for everything else.
    pub fn new(project: &str, service: Arc<dyn Service>) -> Self {
        Engine {
            project: project.to_owned(),
            declared: None,
            max_nodes: Engine::MAX_NODES,
            service,
            registry: Arc::default(),
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
            events: Arc::new(|_| {}),
            holder: Holder::default(),
            boot_timeout: Duration::from_secs(300),
            cancel: CancellationToken::new(),
            time_limit: None,
            overdue: Arc::default(),
            turns: None,
            library: Arc::default(),
        }
    }

    /// The project's nodes at the service.
    pub async fn nodes(&self) -> Result<Vec<Node>, EngineError> {
        self.ask(|service| service.nodes()).await
    }

    /// Whether the operation was stopped because its time was up.
    pub fn is_overdue(&self) -> bool {
        self.overdue.load(Ordering::Relaxed)
    }

    /// Does an operation within its time.
    async fn in_time<T>(&self, operation: impl Future<Output = T>) -> T {
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

    /// Why something was not done that was stopped.
    fn why_stopped(&self, what: &str) -> TransportError {
        match self.time_limit {
            Some(limit) if self.is_overdue() => TransportError::Overdue {
                message: format!(
                    "{what} was not done when the time was \
                    up ({} s)",
                    limit.as_secs_f64()
                ),
            },
            _ => TransportError::Cancelled,
        }
    }

    /// When something is run on a node: in its turn, for as long as it takes.
    fn turn(&self) -> Turn {
        Turn { room: self.turns.clone(), ..Turn::default() }
    }

    fn tell(&self, event: Event) {
        (self.events)(event.redacted(&self.vault));
    }

    /// Asks the service something, on a thread that may block.
    async fn ask<T: Send + 'static>(
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

#[cfg(test)]
mod testing;

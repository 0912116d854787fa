//! Observe, plan, apply; converge and lift; and records of what happened.
//!
//! An [`Engine`] holds what an operation needs: a service, the plugins, the environment and the
//! connections to nodes. [`Engine::lift`] configures nodes; [`Engine::converge`] first creates and
//! destroys nodes to reach each group's count. `examples/` has a program for each topic, and
//! `docs/from-code.md` explains them.
//!
//! ```no_run
//! use pallet_core::engine::{Engine, EngineConfig, GroupSpec, LiftOptions, ServerSpec};
//! use pallet_core::prelude::*;
//! use pallet_core::plugins::Registry;
//!
//! # async fn program() -> Result<()> {
//! let registry = Registry::scan(&["/usr/lib/pallet".into()]);
//! let config = EngineConfig::open("shop", "sandbox", json!({}), registry, "/var/lib/shop")?;
//! let engine = Engine::new(config).on_event(|event| println!("{event}"));
//!
//! let motd = |request: &mut Request| request.add(RemoteFile::content("/etc/motd", "welcome\n"));
//! let groups = [GroupSpec::new("web", Some(2), ServerSpec::new().phase("configure", motd))?];
//! let options = LiftOptions::default();
//! let outcome = engine.converge(&groups, &options, |plan| Ok(plan.destroy.is_empty())).await?;
//! outcome.context("the plan destroys nodes")?.check()?;
//! # Ok(())
//! # }
//! ```

mod check;
mod connections;
mod converge;
mod copy;
mod declare;
#[allow(clippy::module_inception, reason = "the engine itself, beside what it does")]
mod engine;
mod error;
mod excerpt;
mod explain;
mod facts_cache;
mod graph;
mod journal;
mod lift;
mod login;
mod node;
mod node_facts;
mod open;
mod operation;
mod predicted;
mod process;
mod random_token;
mod run;
mod selection;
mod service_bridge;
mod services;
mod spec;
mod survey;
mod system;
pub mod template;
mod templates;
#[cfg(test)]
mod testing;
pub mod trial;
mod vault;

pub use check::Fault;
pub use connections::Connections;
pub use converge::{ConvergePlan, PlanError};
pub use copy::{CopyOptions, CopyPath, CopyRequest};
pub use engine::{Engine, EngineConfig, Holder};
pub use error::EngineError;
pub use explain::{
    Condition as ExplainedCondition, ExplainOptions, ExplainedAction, ExplainedPhase,
    ExplainedUpload, Explanation, Observed,
};
pub use facts_cache::FactsCache;
pub use graph::{Graph, GraphFunction, GraphGroup, GraphPhase};
pub use journal::{
    ComparedChange, Comparison, Confirmed, DoneNode, Ending, Journal, JournalError, JournalFile,
    JournalFollower, JournalHeader, JournalSummary, Journals, NodeComparison,
};
pub use node::{BOOTSTRAPPED_TAG, PhasePlan, PlannedAction};
pub use node_facts::NodeFacts;
pub use operation::{
    ConfirmWave, Copied, CopyOutcome, CopyResult, DoneAction, Event, Failures, Kind, LiftOptions,
    NextWave, NodeChanges, NodeError, NodeOutcome, NodeResult, Outcome, PhaseChoice, PhaseNodes,
    PlannedChange, Record, Resume, RolloutOptions, RunOutcome, RunResult, Sink, Tags, Totals,
};
pub use run::{RunAs, RunOptions, shell_line};
pub use selection::{Matching, Only, Pattern, PatternError, Selection, compact, compact_counted};
pub use service_bridge::ServiceBridge;
pub use services::{ServiceConfig, Services};
pub use spec::{
    ChoiceError, ClusterSpec, FactKind, FactSpec, GroupSpec, Phase, PhaseError, PhaseFunction,
    Rollout, RolloutError, ServerSpec, Share, SpecError, Waves,
};
pub use survey::Files;
pub use vault::{SecretSource, Vault};

pub use crate::model::natural;

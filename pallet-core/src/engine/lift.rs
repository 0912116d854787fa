//! Lift: configure nodes, without changing how many there are.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::considered::{Considered, Division, Member};
use super::converge::boundary::{CREATE_GROUP, DESTROY_GROUP};
use super::converge::destroy::DESTROY_SERVER;
use super::event::Event;
use super::node_run::{BOOTSTRAPPED_TAG, NodeRun};
use super::predicted::PredictedNode;
use super::request::Showing;
use super::select::find_named;
use super::spec::merge_order;
use super::{Engine, EngineError, GroupSpec, NodeError, NodeResult, Outcome, Phase};
use crate::model::Node;
use crate::transport::TransportError;

/// How to lift.
#[derive(Debug, Clone)]
pub struct LiftOptions {
    /// The phases to run, in order; none: each group's default phases.
    pub phases: Vec<PhaseChoice>,
    /// Only show what would change.
    pub dry_run: bool,
    /// On how many nodes at once.
    pub parallel: usize,
    /// Replace what was changed by hand since Pallet wrote it, instead of keeping it.
    pub overwrite_changes: bool,
    /// Change nothing and only tell what is not any more as Pallet made it.
    pub drift_only: bool,
    /// Lift only these nodes of the groups, by name or id; none: all of them. A converge takes no
    /// notice of it.
    pub nodes: Vec<String>,
}

/// A phase to run.
#[derive(Debug, Clone)]
pub enum PhaseChoice {
    /// The one that groups define under this name.
    Named(String),
    /// This one, on every node.
    Inline(Phase),
}

impl Default for LiftOptions {
    fn default() -> Self {
        LiftOptions {
            phases: Vec::new(),
            dry_run: false,
            parallel: 50,
            overwrite_changes: false,
            drift_only: false,
            nodes: Vec::new(),
        }
    }
}

/// What an operation does with what it plans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Make the changes.
    Apply,
    /// Show them.
    DryRun,
    /// Show only those that undo what was changed since Pallet applied it.
    DriftOnly,
}

impl Mode {
    fn of(options: &LiftOptions) -> Self {
        match (options.drift_only, options.dry_run) {
            (true, _) => Mode::DriftOnly,
            (false, true) => Mode::DryRun,
            (false, false) => Mode::Apply,
        }
    }
}

/// The phase that always runs first: settings are there for all that follows.
pub(super) const SETTINGS: &str = "settings";
/// The phase that runs on nodes that were never bootstrapped.
pub(super) const BOOTSTRAP: &str = "bootstrap";
/// Phases that run when their time has come, and not because somebody asked for them.
pub(super) const OF_THEMSELVES: [&str; 5] =
    [SETTINGS, BOOTSTRAP, CREATE_GROUP, DESTROY_GROUP, DESTROY_SERVER];
/// What an inline phase is called.
const INLINE: &str = "inline";

impl Engine {
    /// Configures the running nodes of these groups.
    pub async fn lift(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        self.check_phases(groups, &options.phases)?;
        self.in_time(self.lift_all(groups, options)).await
    }

    async fn lift_all(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let Division { own: mut nodes, mut others, undeclared } =
            self.divide(self.nodes().await?, &groups);
        if !options.nodes.is_empty() {
            let there: Vec<_> = nodes.iter().map(|(node, _)| node.clone()).collect();
            let known: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
            let wanted = find_named(&there, &options.nodes, "group or node", &known)?;
            let wanted: BTreeSet<_> = wanted.into_iter().map(|node| &node.id).collect();
            let (chosen, left): (Vec<_>, Vec<_>) =
                nodes.into_iter().partition(|(node, _)| wanted.contains(&node.id));
            nodes = chosen;
            others.extend(left);
        }
        self.tell(Event::started(
            "lift",
            options.dry_run || options.drift_only,
            nodes.iter().map(|(node, _)| node.name.clone()),
        ));
        self.tell_undeclared(&undeclared);
        Ok(self.configure(nodes, others, options, Purpose::Lift).await?.0)
    }

    /// Runs the phases on these nodes, while functions know the others too; the whole operation but
    /// what converge does before. Also gives the new nodes that never answered.
    pub(super) async fn configure(
        &self,
        nodes: Vec<Member>,
        others: Vec<Member>,
        options: &LiftOptions,
        purpose: Purpose,
    ) -> Result<(Outcome, Vec<Node>), EngineError> {
        let mut run = Run::new(self, nodes, others, options, purpose);
        run.warn_of_undefined_phases();
        run.prepare().await?;
        for round in 0..run.rounds() {
            run.round(round).await?;
        }
        let mut goodbyes = JoinSet::new();
        for node in &mut run.nodes {
            // also those of nodes that failed: their connections are none the worse
            node.give_back(self);
            if let Some(mut transport) = node.transport.take().filter(|_| !node.failed()) {
                goodbyes.spawn(async move { transport.close().await });
            }
        }
        goodbyes.join_all().await;
        let silent =
            run.nodes.iter().filter(|node| node.silent).map(|node| node.node.clone()).collect();
        // of nodes that are not there yet, only what cannot be planned is an outcome
        let told = run.nodes.iter().filter(|node| !node.predicted || node.failed());
        let mut outcome = Outcome {
            nodes: told.map(NodeRun::outcome).collect(),
            cancelled: self.cancel.is_cancelled(),
            drift_only: options.drift_only,
            ..Outcome::default()
        };
        for node in &mut outcome.nodes {
            if let NodeResult::Failed { error, .. } = &mut node.result {
                error.redact(&self.vault);
            }
            self.tell(Event::NodeFinished {
                node: node.node.clone(),
                group: node.group.clone(),
                result: node.result.clone(),
            });
        }
        Ok((outcome, silent))
    }
}

/// What nodes are configured for.
#[derive(Debug, Default)]
pub(super) enum Purpose {
    /// A lift.
    #[default]
    Lift,
    /// A converge: `bootstrap` comes first where it never ran.
    Converge {
        /// The ids of nodes that were just made or started.
        fresh: BTreeSet<String>,
    },
    /// The dry run of a converge.
    DryConverge {
        /// Nodes that would be made.
        predicted: Vec<(PredictedNode, Arc<GroupSpec>)>,
    },
    /// A phase of a group itself, on this machine: nothing but the phases that are named.
    Group,
    /// An explanation of nodes that need not be there.
    Explain {
        /// The nodes as they would be.
        predicted: Vec<(PredictedNode, Arc<GroupSpec>)>,
        /// Explain `bootstrap` too.
        bootstrap: bool,
    },
}

/// One operation on its nodes.
pub(super) struct Run {
    pub(super) engine: Arc<Engine>,
    pub(super) nodes: Vec<NodeRun>,
    /// The project's other nodes, which functions know.
    pub(super) considered: Vec<Considered>,
    /// Why settings of those are not known, each with the nodes' names.
    pub(super) unknown_settings: BTreeMap<String, Vec<String>>,
    phases: Vec<PhaseChoice>,
    /// No phases were named, so each group runs its own.
    defaults: bool,
    bootstrap: bool,
    /// Only the phases that were named, not even `settings`.
    bare: bool,
    pub(super) mode: Mode,
    pub(super) showing: Showing,
}

type Work<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Run {
    pub(super) fn new(
        engine: &Engine,
        nodes: Vec<Member>,
        others: Vec<Member>,
        options: &LiftOptions,
        purpose: Purpose,
    ) -> Self {
        let bootstrap = matches!(
            purpose,
            Purpose::Converge { .. }
                | Purpose::DryConverge { .. }
                | Purpose::Explain { bootstrap: true, .. }
        );
        let bare = matches!(purpose, Purpose::Group);
        let mut nodes: Vec<_> = nodes
            .into_iter()
            .map(|(node, group)| NodeRun::new(engine, node, group, options))
            .collect();
        match purpose {
            Purpose::Converge { fresh } => {
                nodes.iter_mut().for_each(|node| node.fresh = fresh.contains(&node.node.id))
            }
            Purpose::DryConverge { predicted } | Purpose::Explain { predicted, .. } => {
                nodes.extend(
                    predicted
                        .into_iter()
                        .map(|(node, group)| NodeRun::predicted(engine, node, group, options)),
                );
            }
            Purpose::Lift | Purpose::Group => {}
        }
        nodes.sort_by_cached_key(|node| natural(&node.node.name));
        let defaults = options.phases.is_empty();
        let phases = if defaults {
            default_phases(nodes.iter().map(|node| node.group.as_ref()))
        } else {
            options.phases.clone()
        };
        let mut run = Run {
            engine: Arc::new(engine.in_turns(nodes.len(), options.parallel)),
            nodes,
            considered: others.into_iter().map(|other| Considered::new(engine, other)).collect(),
            unknown_settings: BTreeMap::new(),
            phases,
            defaults,
            bootstrap,
            bare,
            mode: Mode::of(options),
            showing: Showing::default(),
        };
        // a converge that was killed may have left nodes that nobody has heard of yet
        let never_heard: Vec<_> = run
            .nodes
            .iter()
            .map(|node| {
                run.bootstrap
                    && node.node.taggable
                    && !node.bootstrapped()
                    && run.bootstrap_of(node).is_some()
            })
            .collect();
        run.nodes
            .iter_mut()
            .zip(never_heard)
            .for_each(|(node, never_heard)| node.fresh |= never_heard && !node.predicted);
        run
    }

    /// The phases of a node in order, each with its functions if its group has it.
    pub(super) fn phases_of(&self, node: &NodeRun) -> Vec<(String, Option<Phase>)> {
        let own = |name: &str| node.group.server.phases.get(name).cloned();
        let mut phases = vec![(SETTINGS.to_owned(), own(SETTINGS).filter(|_| !self.bare))];
        if self.bootstrap {
            phases.push((
                BOOTSTRAP.to_owned(),
                self.bootstrap_of(node).filter(|_| !node.bootstrapped()),
            ));
        }
        let defaults = node.group.default_phases();
        for phase in &self.phases {
            match phase {
                PhaseChoice::Named(name) if name == SETTINGS => {}
                PhaseChoice::Named(name) => phases.push((
                    name.clone(),
                    own(name).filter(|_| !self.defaults || defaults.contains(name)),
                )),
                PhaseChoice::Inline(phase) => phases.push((INLINE.to_owned(), Some(phase.clone()))),
            }
        }
        phases
    }

    /// A group's own bootstrap, or the default one for nodes that Pallet made (those whose provider
    /// keeps tags).
    fn bootstrap_of(&self, node: &NodeRun) -> Option<Phase> {
        let own = node.group.server.phases.get(BOOTSTRAP);
        own.or(self.engine.default_bootstrap.as_ref().filter(|_| node.node.taggable)).cloned()
    }

    pub(super) fn rounds(&self) -> usize {
        self.nodes.iter().map(|node| node.declared.len()).max().unwrap_or_default()
    }

    pub(super) fn warn_of_undefined_phases(&self) {
        for phase in &self.phases {
            let PhaseChoice::Named(name) = phase else { continue };
            let defined = self.nodes.iter().any(|node| node.group.server.phases.contains_key(name));
            if !defined && !self.nodes.is_empty() {
                let known: BTreeSet<_> = self
                    .nodes
                    .iter()
                    .flat_map(|node| node.group.server.phases.keys())
                    .cloned()
                    .collect();
                // nodes that nobody wants to configure are no mistake
                if self.defaults && known.iter().all(|name| OF_THEMSELVES.contains(&name.as_str()))
                {
                    continue;
                }
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                let there = if known.is_empty() {
                    ", or any other".to_owned()
                } else {
                    format!(
                        "; \
                    there are: {known}"
                    )
                };
                let message = format!("no target defines the phase {name}{there}");
                self.engine.tell(Event::Warning { node: None, message });
            }
        }
    }

    /// One phase on all nodes; every node passes it before the next one begins.
    pub(super) async fn round(&mut self, round: usize) -> Result<(), EngineError> {
        let mode = self.mode;
        let bootstrap = self.bootstrap && round == 1;
        let marked = |node: &&NodeRun| {
            bootstrap
                && mode == Mode::Apply
                && !node.bootstrapped()
                && self.bootstrap_of(node).is_some()
        };
        let marked: Arc<BTreeSet<_>> =
            Arc::new(self.nodes.iter().filter(marked).map(|node| node.node.id.clone()).collect());
        self.each(
            |_| true,
            move |node, engine| {
                let marked = marked.clone();
                Box::pin(async move {
                    let mark = marked.contains(&node.node.id);
                    node.phase(&engine, round, mode, mark).await;
                    if mark && !node.failed() && node.node.taggable {
                        let (id, tags) = (
                            node.node.id.clone(),
                            [(BOOTSTRAPPED_TAG.to_owned(), "true".to_owned())].into(),
                        );
                        match engine.ask(move |service| service.tag_node(&id, &tags)).await {
                            Ok(()) => node.is_bootstrapped().await,
                            Err(error) => node.fail(NodeError::new(error.to_string())),
                        }
                    }
                })
            },
        )
        .await
    }

    /// Does some work on each node that is wanted and has not failed.
    pub(super) async fn each<F>(
        &mut self,
        wanted: impl Fn(&NodeRun) -> bool,
        work: F,
    ) -> Result<(), EngineError>
    where
        F: for<'a> Fn(&'a mut NodeRun, Arc<Engine>) -> Work<'a> + Clone + Send + Sync + 'static,
    {
        let mut tasks = JoinSet::new();
        let mut done: Vec<Option<NodeRun>> = Vec::with_capacity(self.nodes.len());
        for (position, mut node) in std::mem::take(&mut self.nodes).into_iter().enumerate() {
            if node.failed() || !wanted(&node) {
                done.push(Some(node));
                continue;
            }
            done.push(None);
            let (work, engine) = (work.clone(), self.engine.clone());
            tasks.spawn(async move {
                if engine.cancel.is_cancelled() {
                    let why = match engine.why_stopped(&node.step) {
                        error @ TransportError::Overdue { .. } => error.to_string(),
                        _ => "the operation was stopped before this node was done".to_owned(),
                    };
                    node.fail(NodeError::new(why));
                } else {
                    work(&mut node, engine).await;
                }
                (position, node)
            });
        }
        while let Some(finished) = tasks.join_next().await {
            let (position, node) =
                finished.map_err(|error| EngineError::Task(error.to_string()))?;
            done[position] = Some(node);
        }
        self.nodes = done.into_iter().flatten().collect();
        Ok(())
    }
}

/// The nodes that belong to one of these groups, each with it.
pub(super) fn with_groups(
    nodes: impl IntoIterator<Item = Node>,
    groups: &[Arc<GroupSpec>],
) -> Vec<Member> {
    let groups: BTreeMap<&str, &Arc<GroupSpec>> =
        groups.iter().map(|group| (group.name.as_str(), group)).collect();
    let group_of = |node: &Node| groups.get(node.group.as_deref()?).map(|group| (*group).clone());
    nodes.into_iter().filter_map(|node| group_of(&node).map(|group| (node, group))).collect()
}

/// The default phases of all groups, in one order that keeps each group's.
fn default_phases<'a>(groups: impl Iterator<Item = &'a GroupSpec>) -> Vec<PhaseChoice> {
    let mut order: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for group in groups.filter(|group| seen.insert(group.name.as_str())) {
        let own = group.default_phases();
        order = merge_order(&order, &own).unwrap_or_else(|_| {
            // contrary orders cannot be kept both: what is new comes last
            let mut order = order.clone();
            order.extend(own.into_iter().filter(|name| !order.contains(name)).collect::<Vec<_>>());
            order
        });
    }
    order.into_iter().map(PhaseChoice::Named).collect()
}

/// What names of nodes are sorted by: `web-10` comes behind `web-9`.
pub fn natural(name: &str) -> (String, u64) {
    match name.rsplit_once('-').map(|(stem, number)| (stem, number.parse())) {
        Some((stem, Ok(number))) => (stem.to_owned(), number),
        _ => (name.to_owned(), 0),
    }
}

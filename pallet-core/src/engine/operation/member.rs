//! A node in an operation: its session, its planner and its progress.

use std::sync::Arc;

use super::event::Event;
use super::options::{LiftOptions, Mode};
use super::outcome::{NodeError, NodeOutcome, NodeResult};
use crate::action::{Certainty, Declared};
use crate::engine::node::{AskError, PhasePlan, PlanContext, Planner, Session, apply, cleaning};
use crate::engine::predicted::PredictedNode;
use crate::engine::{Engine, GroupSpec};
use crate::model::{Facts, Node, Os, version_is};
use crate::observe::Observation;
use crate::transport::TransportError;

/// A node in an operation.
pub(in crate::engine) struct Member {
    pub(in crate::engine) group: Arc<GroupSpec>,
    pub(in crate::engine) session: Session,
    pub(in crate::engine) planner: Planner,
    /// The facts in the cache.
    remembered: Option<Facts>,
    changes: usize,
    /// How many changes by hand were found and kept.
    drifted: usize,
    /// It was just created or started, so it may take a while to answer.
    pub(in crate::engine) fresh: bool,
    /// It never answered within the timeout.
    pub(in crate::engine) silent: bool,
    /// A phase has begun on it.
    begun: bool,
    end: Option<End>,
}

/// Why a node ended early.
enum End {
    Failed(NodeError),
    /// The operation ended before it did anything on the node.
    NotReached(String),
}

impl Member {
    pub(in crate::engine) fn new(
        engine: &Engine,
        node: Node,
        group: Arc<GroupSpec>,
        options: &LiftOptions,
    ) -> Self {
        let cache = engine.facts_cache.as_ref();
        let facts = cache.and_then(|cache| cache.get(&engine.project, &node.id));
        Member {
            group,
            session: Session::new(node, facts.as_ref()),
            remembered: facts.clone(),
            planner: Planner::new(facts, options.overwrite_changes, options.drift_only),
            changes: 0,
            drifted: 0,
            fresh: false,
            silent: false,
            begun: false,
            end: None,
        }
    }

    /// A node that does not exist yet.
    pub(in crate::engine) fn predicted(
        engine: &Engine,
        node: PredictedNode,
        group: Arc<GroupSpec>,
        options: &LiftOptions,
    ) -> Self {
        let PredictedNode { node, facts } = node;
        Member { planner: Planner::predicted(facts), ..Member::new(engine, node, group, options) }
    }

    /// The node's name.
    pub(in crate::engine) fn name(&self) -> &str {
        &self.session.node.name
    }

    /// The error, if the node failed.
    pub(in crate::engine) fn error(&self) -> Option<&NodeError> {
        match &self.end {
            Some(End::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// Whether the node ended early.
    pub(in crate::engine) fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    pub(in crate::engine) fn fail(&mut self, error: NodeError) {
        self.end.get_or_insert(End::Failed(error));
    }

    /// Ends the node, because the operation is stopped before its next step.
    pub(super) fn stop(&mut self, engine: &Engine) {
        match engine.why_stopped(&self.session.step) {
            TransportError::Cancelled => self.cancel(),
            overdue if self.begun => self.fail(NodeError::new(overdue.to_string())),
            overdue => {
                self.end.get_or_insert(End::NotReached(overdue.to_string()));
            }
        }
    }

    fn cancel(&mut self) {
        self.end.get_or_insert(match self.begun {
            true => {
                End::Failed(NodeError::new("the operation was stopped before this node was done"))
            }
            false => End::NotReached("the operation was stopped".to_owned()),
        });
    }

    fn fail_transport(&mut self, error: &TransportError) {
        match error {
            TransportError::Cancelled if !self.begun => self.cancel(),
            error => self.fail(NodeError::new(error.to_string())),
        }
    }

    /// Connects in advance, so that a later observation is faster.
    pub(in crate::engine) async fn reach(&mut self, engine: &Engine) {
        if let Err(error) = self.session.reach(engine, "reaching it").await {
            self.fail_transport(&error);
        }
    }

    /// Waits until a new node answers.
    pub(in crate::engine) async fn wait_for_answer(&mut self, engine: &Engine) {
        match self.session.wait_for_answer(engine).await {
            Ok(Ok(())) => {}
            Ok(Err(why)) => {
                self.silent = true;
                self.fail(NodeError::new(why));
            }
            Err(error) => self.fail_transport(&error),
        }
    }

    /// Asks the node for its facts and for the observations that its declared actions need.
    pub(in crate::engine) async fn observe(&mut self, engine: &Engine) {
        self.ask(engine, self.planner.wanted()).await;
    }

    async fn ask(&mut self, engine: &Engine, wanted: Observation) {
        let observed = match self.session.ask(engine, &wanted).await {
            Ok(observed) => observed,
            Err(AskError::Transport(error)) => return self.fail_transport(&error),
            Err(AskError::Answer(error)) => return self.fail(error),
        };
        let facts = &observed.facts;
        if self.remembered.as_ref() != Some(facts)
            && let Some(cache) = &engine.facts_cache
        {
            cache.put(&engine.project, &self.session.node.id, facts);
            self.remembered = Some(facts.clone());
        }
        if !self.planner.is_confirmed() {
            self.warn_of_wrong_claims(engine, &facts.os);
        }
        self.session.learn(facts);
        self.planner.learn(wanted, observed);
    }

    /// Warns if the node's system differs from what its provider reports; the node's own answer
    /// wins.
    fn warn_of_wrong_claims(&self, engine: &Engine, found: &Os) {
        let Some(claimed) = &self.session.node.os else { return };
        let version = claimed.version.is_empty()
            || found.version.is_empty()
            || version_is(&claimed.version, &found.version);
        let arch = claimed.arch.is_empty() || claimed.arch == found.arch;
        if claimed.id != found.id || !version || !arch {
            let message = format!(
                "its provider reports {claimed}, but it is {found}; configuring it as {found}"
            );
            engine.tell(Event::Warning { node: Some(self.name().to_owned()), message });
        }
    }

    /// Runs one phase: plans it, and applies it unless this is a dry run.
    pub(super) async fn phase(
        &mut self,
        engine: &Engine,
        position: usize,
        mode: Mode,
        mark_bootstrapped: bool,
    ) {
        let Some((phase, declared)) = self.planner.phase(position) else { return };
        if declared.is_empty() && !mark_bootstrapped {
            return;
        }
        if mode == Mode::Apply
            && let Some(wanted) = self.planner.stale(&declared)
        {
            self.ask(engine, wanted).await;
        }
        if self.has_ended() {
            return;
        }
        self.begun = true;
        self.session.step = format!("phase {phase}");
        engine.tell(Event::PhaseStarted {
            node: self.name().to_owned(),
            phase: phase.clone(),
            actions: declared.len(),
        });
        let name = self.name().to_owned();
        let context = PlanContext {
            drift: mode == Mode::DriftOnly,
            mark_bootstrapped: mark_bootstrapped && !self.session.node.taggable,
            ..self.planner.context(&name, &phase, position)
        };
        let Some(plan) = self.plan(&context, &declared) else { return };
        self.tell_plan(engine, &plan, mode);
        match mode {
            Mode::DryRun => self.changes += plan.changing(),
            Mode::DriftOnly => {}
            Mode::Apply if plan.changing() > 0 || plan.mark_bootstrapped => {
                self.apply(engine, plan).await;
            }
            Mode::Apply => self.clean(engine, &plan).await,
        }
    }

    fn plan(&mut self, context: &PlanContext<'_>, declared: &[Declared]) -> Option<PhasePlan> {
        match self.planner.plan(context, declared)? {
            Ok(plan) => Some(plan),
            Err((position, error)) => {
                self.fail(error_of(context.phase, &declared[position], error.to_string()));
                None
            }
        }
    }

    /// Reports a plan before it is applied: drift, actions with nothing to do, and in a dry run all
    /// changes.
    fn tell_plan(&mut self, engine: &Engine, plan: &PhasePlan, mode: Mode) {
        for action in &plan.actions {
            let mut change = plan.describe(action);
            match (mode, change.certainty) {
                _ if action.undone || action.drift.is_some() => {
                    change.certainty = Some(Certainty::Drifted);
                    change.undone = action.drift.is_none();
                    self.drifted += 1;
                    engine.tell(Event::Drift(change));
                }
                (Mode::DryRun, Some(_)) => engine.tell(Event::Planned(change)),
                (_, None) => engine.tell(Event::Action { change, changed: false }),
                (Mode::Apply | Mode::DriftOnly, Some(_)) => {}
            }
        }
    }

    async fn apply(&mut self, engine: &Engine, mut plan: PhasePlan) {
        self.find_present(engine, &mut plan).await;
        let applied = apply(engine, &mut self.session, &plan).await;
        self.planner.applied(&applied.flags);
        self.changes += applied.changes;
        self.drifted += applied.drifted;
        if let Some(error) = applied.error {
            self.fail(error);
        }
    }

    /// Finds out which uploads already exist on the node. Asks only if there may be some.
    pub(in crate::engine) async fn find_present(&mut self, engine: &Engine, plan: &mut PhasePlan) {
        let wanted = plan.may_be_present();
        if !wanted.files.is_empty()
            && let Ok(observed) = self.session.ask(engine, &wanted).await
        {
            plan.set_present(wanted, &observed.state);
        }
    }

    /// Removes temporary entries of killed runs when there is nothing else to apply. This is
    /// housekeeping, so an error is ignored.
    async fn clean(&mut self, engine: &Engine, plan: &PhasePlan) {
        if self.planner.take_leftovers() {
            let script = cleaning(&engine.library, &plan.user);
            let _ = self.session.run(engine, &script, false, &mut |_, _| {}).await;
        }
    }

    /// The node's outcome.
    pub(in crate::engine) fn outcome(&self) -> NodeOutcome {
        let result = match (&self.end, self.changes) {
            (Some(End::Failed(error)), changes) => {
                NodeResult::Failed { changes, error: error.clone() }
            }
            (Some(End::NotReached(reason)), _) => NodeResult::NotReached { reason: reason.clone() },
            (None, 0) => NodeResult::Unchanged,
            (None, changes) => NodeResult::Changed { changes },
        };
        NodeOutcome {
            node: self.name().to_owned(),
            group: self.group.name.clone(),
            drifted: self.drifted,
            result,
        }
    }
}

/// The error of an action that cannot be planned.
pub(in crate::engine) fn error_of(phase: &str, declared: &Declared, message: String) -> NodeError {
    NodeError {
        phase: Some(phase.to_owned()),
        action: Some(declared.label()),
        source: declared.source.clone(),
        ..NodeError::new(message)
    }
}

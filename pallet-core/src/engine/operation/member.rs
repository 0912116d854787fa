//! A node in an operation: its session, its planner and its progress.

use std::sync::Arc;

use super::budget::GroupBudget;
use super::event::Event;
use super::options::{DoneAction, LiftOptions};
use super::outcome::{NodeError, NodeOutcome, NodeResult};
use crate::action::Declared;
use crate::engine::node::{AskError, Hold, Planner, Session};
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
    pub(super) changes: usize,
    /// How many changes by hand were found and kept.
    pub(super) drifted: usize,
    /// It was just created or started, so it may take a while to answer.
    pub(in crate::engine) fresh: bool,
    /// It never answered within the timeout.
    pub(in crate::engine) silent: bool,
    /// A phase has begun on it.
    pub(super) begun: bool,
    /// The operation has changed it, or is about to.
    pub(super) touched: bool,
    /// It is out of service.
    pub(super) drained: bool,
    /// Keeps other operations away while it is out of service.
    pub(super) hold: Option<Hold>,
    /// What an interrupted operation that is resumed did on it.
    pub(super) before: Option<Interrupted>,
    /// The failures of its group, if their number is limited.
    pub(super) budget: Option<GroupBudget>,
    end: Option<End>,
}

/// What an interrupted operation did on a node.
pub(super) struct Interrupted {
    /// The actions that changed something.
    pub(super) actions: Vec<DoneAction>,
}

/// Why a node ended early.
enum End {
    Failed(NodeError),
    /// The operation ended before it did anything on the node.
    NotReached(String),
    /// The operation that is resumed finished it.
    DoneBefore,
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
            session: Session::new(node, facts.as_ref()),
            remembered: facts.clone(),
            planner: Planner::new(
                facts,
                group.server.facts.clone(),
                options.overwrite_changes,
                options.drift_only,
            ),
            group,
            changes: 0,
            drifted: 0,
            fresh: false,
            silent: false,
            begun: false,
            touched: false,
            drained: false,
            hold: None,
            before: None,
            budget: None,
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

    /// The facts as functions see them: those of the node itself or, as long as it was not asked, a
    /// guess. One that cannot be asked has those that it had.
    pub(super) fn seen_facts(&self) -> Option<&Facts> {
        match self.end.is_some() && !self.planner.is_confirmed() {
            true => self.remembered.as_ref(),
            false => self.planner.facts(),
        }
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
        if self.end.is_none() {
            self.end = Some(End::Failed(error));
            if let Some(budget) = &self.budget {
                budget.count_failure();
            }
        }
    }

    /// Ends the node before anything was done on it.
    pub(super) fn leave_out(&mut self, reason: &str) {
        self.end.get_or_insert_with(|| End::NotReached(reason.to_owned()));
    }

    /// Ends the node, because the operation that is resumed finished it.
    pub(super) fn skip(&mut self) {
        self.end.get_or_insert(End::DoneBefore);
    }

    /// Whether the operation that is resumed finished it.
    pub(super) fn was_done_before(&self) -> bool {
        matches!(self.end, Some(End::DoneBefore))
    }

    /// Takes out the error, so that the node can be used again.
    pub(super) fn take_error(&mut self) -> Option<NodeError> {
        match self.end.take()? {
            End::Failed(error) => Some(error),
            End::NotReached(reason) => Some(NodeError::new(reason)),
            End::DoneBefore => None,
        }
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

    pub(super) async fn ask(&mut self, engine: &Engine, wanted: Observation) {
        let mut observed = match self.session.ask(engine, &wanted).await {
            Ok(observed) => observed,
            Err(AskError::Transport(error)) => return self.fail_transport(&error),
            Err(AskError::Answer(error)) => return self.fail(error),
        };
        if let Err(message) = self.planner.complete(&mut observed) {
            return self.fail(NodeError::new(message));
        }
        let facts = &observed.facts;
        // what was not asked for now is needed by others
        let remembered = facts.or_remembered(self.remembered.as_ref(), |name| {
            self.group.server.facts.contains_key(name)
        });
        if self.remembered.as_ref() != Some(&remembered)
            && let Some(cache) = &engine.facts_cache
        {
            cache.put(&engine.project, &self.session.node.id, &remembered);
            self.remembered = Some(remembered);
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

    /// The node's outcome.
    pub(in crate::engine) fn outcome(&self) -> NodeOutcome {
        let result = match (&self.end, self.changes) {
            (Some(End::Failed(error)), changes) => {
                NodeResult::Failed { changes, error: error.clone() }
            }
            (Some(End::NotReached(reason)), _) => NodeResult::NotReached { reason: reason.clone() },
            (None | Some(End::DoneBefore), 0) => NodeResult::Unchanged,
            (None | Some(End::DoneBefore), changes) => NodeResult::Changed { changes },
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

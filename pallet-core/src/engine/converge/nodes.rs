//! The nodes of a project while they change: shared by converge and down.

use std::sync::Arc;

use crate::engine::operation::{Event, GroupedNode, PhaseChoice, Purpose};
use crate::engine::{
    Engine, EngineError, GroupSpec, LiftOptions, NodeError, NodeOutcome, NodeResult, Outcome,
};
use crate::model::{Connection, Node, natural};
use crate::plugin::PluginError;

/// The nodes of a project while they change.
pub(super) struct Nodes<'a> {
    pub(super) engine: &'a Engine,
    /// The groups that the operation works on.
    pub(super) groups: &'a [Arc<GroupSpec>],
    /// The nodes of other groups, which functions see.
    pub(super) others: Vec<GroupedNode>,
    pub(super) options: &'a LiftOptions,
    pub(super) outcome: Outcome,
}

impl<'a> Nodes<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        groups: &'a [Arc<GroupSpec>],
        others: Vec<GroupedNode>,
        options: &'a LiftOptions,
    ) -> Self {
        Nodes { engine, groups, others, options, outcome: Outcome::default() }
    }

    /// Runs a phase of the group itself, if the group has it, and returns whether it succeeded. A
    /// failure is recorded in the outcome under the group's name.
    ///
    /// These phases run before a group gets its first node and after it lost its last one. The
    /// group has no node then, so the phase runs on this machine, as the user who runs Pallet.
    pub(super) async fn run_group_phase(
        &mut self,
        group: &Arc<GroupSpec>,
        phase: &str,
    ) -> Result<bool, EngineError> {
        if !group.server.phases.contains_key(phase) || self.engine.cancel.is_cancelled() {
            return Ok(true);
        }
        let node = Node {
            group: Some(group.name.clone()),
            ..Node::new(format!("group/{}", group.name), &group.name, Connection::Local)
        };
        let (nodes, phases) = (vec![(node, group.clone())], [phase]);
        let ran = self.run_phases(nodes, self.others.clone(), &phases, Purpose::Group);
        let failed: Vec<_> =
            ran.await?.nodes.into_iter().filter(|node| !node.result.ok()).collect();
        let ok = failed.is_empty();
        self.outcome.nodes.extend(failed);
        Ok(ok)
    }

    /// Runs these phases on nodes.
    pub(super) async fn run_phases(
        &self,
        nodes: Vec<GroupedNode>,
        others: Vec<GroupedNode>,
        phases: &[&str],
        purpose: Purpose,
    ) -> Result<Outcome, EngineError> {
        let phases = phases.iter().map(|phase| PhaseChoice::Named((*phase).to_owned())).collect();
        let options = LiftOptions { phases, ..self.options.clone() };
        Ok(self.engine.configure(nodes, others, &options, purpose).await?.0)
    }

    /// Reports that nodes could not be created.
    pub(super) fn not_created(&mut self, names: &[String], group: &str, error: &PluginError) {
        for name in names {
            self.engine.tell(Event::NotCreated {
                node: name.clone(),
                group: group.to_owned(),
                error: error.to_string(),
            });
            let error = NodeError::new(format!("could not be created: {error}"));
            self.outcome.nodes.push(NodeOutcome {
                node: name.clone(),
                group: group.to_owned(),
                drifted: 0,
                result: NodeResult::Failed { changes: 0, error },
            });
        }
    }

    /// Records nodes that the operation never reached.
    pub(super) fn not_reached(&mut self, names: &[String], group: &str, reason: &str) {
        let reason = reason.to_owned();
        self.add(
            names
                .iter()
                .map(|name| NodeOutcome {
                    node: name.clone(),
                    group: group.to_owned(),
                    drifted: 0,
                    result: NodeResult::NotReached { reason: reason.clone() },
                })
                .collect(),
        );
    }

    /// Records nodes that were to be made anew, and stay.
    pub(super) fn not_replaced(&mut self, names: &[String], group: &str, reason: &str) {
        for name in names {
            let message = format!("it was not replaced: {reason}");
            self.engine.tell(Event::Warning { node: Some(name.clone()), message });
        }
        self.not_reached(names, group, reason);
    }

    /// Records the outcome of configuring nodes. What was recorded of a node before is kept: its
    /// changes are added up, and a failure stays.
    pub(super) fn add(&mut self, nodes: Vec<NodeOutcome>) {
        for node in nodes {
            match self.outcome.nodes.iter_mut().find(|known| known.node == node.node) {
                Some(known) => {
                    known.drifted = node.drifted;
                    known.result = joined(&known.result, node.result);
                }
                None => self.outcome.nodes.push(node),
            }
        }
    }

    /// The outcome, sorted by node name.
    pub(super) fn finish(mut self) -> Outcome {
        self.outcome.nodes.sort_by_cached_key(|node| natural(&node.node));
        self.outcome.cancelled = self.engine.cancel.is_cancelled();
        self.outcome
    }
}

/// The result of a node that was configured twice.
fn joined(first: &NodeResult, second: NodeResult) -> NodeResult {
    match (first, second) {
        (NodeResult::Changed { changes }, NodeResult::Unchanged) => {
            NodeResult::Changed { changes: *changes }
        }
        (NodeResult::Changed { changes }, NodeResult::Changed { changes: more }) => {
            NodeResult::Changed { changes: changes + more }
        }
        // what was done before is still done
        (NodeResult::Failed { .. }, NodeResult::Unchanged | NodeResult::NotReached { .. })
        | (NodeResult::Changed { .. }, NodeResult::NotReached { .. }) => first.clone(),
        (_, second) => second,
    }
}

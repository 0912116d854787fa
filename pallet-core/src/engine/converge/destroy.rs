//! Destroying nodes, after they could say good-bye.

use std::sync::Arc;

use super::super::event::Event;
use super::super::lift::{LiftOptions, PhaseChoice, Purpose, with_groups};
use super::super::{Engine, EngineError, GroupSpec, NodeResult, Outcome};
use crate::model::{Node, NodeStatus};

/// The phase that runs on nodes before they are destroyed.
pub(in super::super) const DESTROY_SERVER: &str = "destroy-server";

impl Engine {
    /// Destroys nodes, after their `destroy-server` phase.
    pub(super) async fn destroy(
        &self,
        groups: &[Arc<GroupSpec>],
        nodes: Vec<Node>,
        options: &LiftOptions,
        outcome: &mut Outcome,
    ) -> Result<(), EngineError> {
        if nodes.is_empty() || self.cancel.is_cancelled() {
            return Ok(());
        }
        let running = nodes.iter().filter(|node| node.status == NodeStatus::Running).cloned();
        let mut with_phase = with_groups(running, groups);
        with_phase.retain(|(_, group)| group.server.phases.contains_key(DESTROY_SERVER));
        if !with_phase.is_empty() {
            let options = LiftOptions { phases: vec![PhaseChoice::Named(DESTROY_SERVER.to_owned())], ..options.clone() };
            // a node that cannot say good-bye is destroyed all the same; its failure is told
            let (said, _) = self.configure(with_phase, &options, Purpose::Lift).await?;
            for node in said.nodes {
                if let NodeResult::Failed { error, .. } = node.result {
                    let message = format!("phase {DESTROY_SERVER} failed: {}", error.message);
                    self.tell(Event::Warning { node: Some(node.node), message });
                }
            }
            if self.cancel.is_cancelled() {
                return Ok(());
            }
        }
        for node in &nodes {
            self.tell(Event::Destroying { node: node.name.clone(), group: node.group.clone().unwrap_or_default() });
        }
        outcome.destroyed.extend(self.remove(nodes).await?);
        Ok(())
    }

    /// Destroys new nodes that never answered: they were of no use to anybody yet. Their failure stands in the outcome.
    pub(super) async fn destroy_silent(&self, silent: Vec<Node>, outcome: &mut Outcome) -> Result<(), EngineError> {
        if silent.is_empty() || self.cancel.is_cancelled() {
            return Ok(());
        }
        let gone = self.remove(silent).await?;
        outcome.created.retain(|name| !gone.contains(name));
        for node in outcome.nodes.iter_mut().filter(|node| gone.contains(&node.node)) {
            if let NodeResult::Failed { error, .. } = &mut node.result {
                error.message += "; the node was destroyed";
            }
        }
        Ok(())
    }

    /// Destroys nodes, and gives their names.
    async fn remove(&self, nodes: Vec<Node>) -> Result<Vec<String>, EngineError> {
        let ids: Vec<_> = nodes.iter().map(|node| node.id.clone()).collect();
        self.ask(move |service| service.destroy_nodes(&ids)).await?;
        let gone = nodes.into_iter().map(|node| {
            if let Some(cache) = &self.facts_cache {
                cache.remove(&self.project, &node.id);
            }
            if let Some(connections) = &self.connections {
                connections.forget(&node.id);
            }
            self.tell(Event::Destroyed { node: node.name.clone(), group: node.group.unwrap_or_default() });
            node.name
        });
        Ok(gone.collect())
    }
}

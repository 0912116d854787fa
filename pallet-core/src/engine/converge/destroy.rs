//! Destroys nodes, after running their `destroy-server` phase.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::Nodes;
use crate::engine::operation::{Event, GroupedNode, Purpose, with_groups};
use crate::engine::spec::{DESTROY_GROUP, DESTROY_SERVER, DRAIN};
use crate::engine::{EngineError, GroupSpec, NodeError, NodeOutcome, NodeResult};
use crate::model::{Node, NodeStatus};
use crate::plugin::PluginError;

/// The result of destroying nodes.
#[derive(Default)]
struct Removed {
    gone: Vec<Node>,
    /// Nodes that still exist, or may, each with the reason.
    left: Vec<(Node, PluginError)>,
}

impl Nodes<'_> {
    /// Destroys nodes, after their `destroy-server` phase, whose functions see the nodes that stay.
    /// A node that cannot be destroyed is recorded in the outcome and does not affect the others.
    pub(super) async fn destroy(
        &mut self,
        nodes: Vec<Node>,
        staying: &[GroupedNode],
    ) -> Result<(), EngineError> {
        if nodes.is_empty() || self.engine.cancel.is_cancelled() {
            return Ok(());
        }
        self.run_last_phases(&nodes, staying).await?;
        if self.engine.cancel.is_cancelled() {
            return Ok(());
        }
        for node in &nodes {
            self.engine.tell(Event::Destroying {
                node: node.name.clone(),
                group: node.group.clone().unwrap_or_default(),
            });
        }
        self.engine.commit().await?;
        let removed = self.remove(nodes).await;
        self.outcome.destroyed.extend(removed.gone.into_iter().map(|node| node.name));
        for (node, error) in removed.left {
            self.not_destroyed(&node, &error);
        }
        Ok(())
    }

    /// Runs the phases that nodes have for before they are destroyed. A node whose phase fails is
    /// destroyed anyway; the failure is reported.
    pub(super) async fn run_last_phases(
        &self,
        nodes: &[Node],
        staying: &[GroupedNode],
    ) -> Result<(), EngineError> {
        let running = nodes.iter().filter(|node| node.status == NodeStatus::Running).cloned();
        let mut with_phase = with_groups(running, self.groups);
        let has = |group: &GroupSpec, phase: &str| group.server.phases.contains_key(phase);
        with_phase.retain(|(_, group)| has(group, DRAIN) || has(group, DESTROY_SERVER));
        let mut last = vec![DRAIN, DESTROY_SERVER];
        last.retain(|phase| with_phase.iter().any(|(_, group)| has(group, phase)));
        if with_phase.is_empty() {
            return Ok(());
        }
        let said = self.run_phases(with_phase, staying.to_vec(), &last, Purpose::Leaving);
        for node in said.await?.nodes {
            if let NodeResult::Failed { error, .. } = node.result {
                let phase = error.phase.as_deref().unwrap_or(DESTROY_SERVER);
                let message = format!("phase {phase} failed: {}", error.message);
                self.engine.tell(Event::Warning { node: Some(node.node), message });
            }
        }
        Ok(())
    }

    /// Runs `destroy-group` of these groups, unless one of their nodes could not be destroyed.
    pub(super) async fn end_groups(&mut self, ended: &BTreeSet<String>) -> Result<(), EngineError> {
        let failed: BTreeSet<String> =
            self.outcome.nodes.iter().map(|node| node.group.clone()).collect();
        for group in self.groups {
            if ended.contains(&group.name) && !failed.contains(&group.name) {
                self.run_group_phase(group, DESTROY_GROUP).await?;
            }
        }
        Ok(())
    }

    /// Reports that a node could not be destroyed.
    pub(super) fn not_destroyed(&mut self, node: &Node, error: &PluginError) {
        let (name, group) = (node.name.clone(), node.group.clone().unwrap_or_default());
        let mut error = NodeError::new(format!("could not be destroyed: {error}"));
        error.redact(&self.engine.vault);
        let result = NodeResult::Failed { changes: 0, error };
        self.engine.tell(Event::NodeFinished {
            node: name.clone(),
            group: group.clone(),
            result: result.clone(),
        });
        self.outcome.nodes.push(NodeOutcome { node: name, group, drifted: 0, result });
    }

    /// Destroys new nodes that never answered: nobody uses them yet. Their failure is recorded in
    /// the outcome.
    pub(super) async fn destroy_silent(&mut self, silent: Vec<Node>) -> Result<(), EngineError> {
        // one that was there before is somebody's, even if it does not answer
        let mut silent = silent;
        silent.retain(|node| self.outcome.created.contains(&node.name));
        if silent.is_empty() || self.engine.cancel.is_cancelled() {
            return Ok(());
        }
        for node in &silent {
            let (node, group) = (node.name.clone(), node.group.clone().unwrap_or_default());
            self.engine.tell(Event::Destroying { node, group });
        }
        self.engine.commit().await?;
        let Removed { gone, left } = self.remove(silent).await;
        let gone: BTreeSet<_> = gone.into_iter().map(|node| node.name).collect();
        let left: BTreeMap<_, _> =
            left.into_iter().map(|(node, error)| (node.name, error)).collect();
        self.outcome.created.retain(|name| !gone.contains(name));
        for node in &mut self.outcome.nodes {
            let NodeResult::Failed { error, .. } = &mut node.result else { continue };
            if gone.contains(&node.node) {
                error.message += "; the node was destroyed";
            } else if let Some(why) = left.get(&node.node) {
                error.message += &format!("; the node could not be destroyed: {why}");
            }
        }
        Ok(())
    }

    /// Destroys nodes, and reports each that is gone.
    async fn remove(&self, nodes: Vec<Node>) -> Removed {
        let ids: Vec<_> = nodes.iter().map(|node| node.id.clone()).collect();
        let removed = match self.engine.ask(move |service| service.destroy_nodes(&ids)).await {
            Ok(()) => Removed { gone: nodes, left: Vec::new() },
            Err(error) => self.what_is_left(nodes, error.into()).await,
        };
        for node in &removed.gone {
            if let Some(cache) = &self.engine.facts_cache {
                cache.remove(&self.engine.project, &node.id);
            }
            if let Some(connections) = &self.engine.connections {
                connections.forget(&node.id);
            }
            self.engine.tell(Event::Destroyed {
                node: node.name.clone(),
                id: node.id.clone(),
                group: node.group.clone().unwrap_or_default(),
            });
        }
        removed
    }

    /// Finds out which of these nodes still exist after an error. If the provider reports no error
    /// per node, it is asked for its nodes again.
    async fn what_is_left(&self, nodes: Vec<Node>, error: PluginError) -> Removed {
        let mut removed = Removed::default();
        let there: Option<BTreeSet<String>> = match error.nodes.is_empty() {
            true => {
                let nodes = self.engine.nodes().await.ok();
                nodes.map(|nodes| nodes.into_iter().map(|node| node.id).collect())
            }
            false => None,
        };
        for node in nodes {
            let why = match (&there, error.nodes.get(&node.id)) {
                (_, Some(why)) => Some(why.clone()),
                (Some(there), None) if !there.contains(&node.id) => None,
                (None, None) if !error.nodes.is_empty() => None,
                _ => Some(PluginError { nodes: BTreeMap::new(), ..error.clone() }),
            };
            match why {
                Some(why) => removed.left.push((node, why)),
                None => removed.gone.push(node),
            }
        }
        removed
    }
}

//! Destroying nodes, after they could say good-bye.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::considered::{Member, shortened};
use super::super::event::Event;
use super::super::lift::{LiftOptions, PhaseChoice, Purpose, natural, with_groups};
use super::super::{Engine, EngineError, GroupSpec, NodeError, NodeOutcome, NodeResult, Outcome};
use crate::model::{Node, NodeStatus};
use crate::plugin::{ErrorKind, PluginError};

/// The phase that runs on nodes before they are destroyed.
pub(in super::super) const DESTROY_SERVER: &str = "destroy-server";

/// What became of nodes that were to be destroyed.
#[derive(Default)]
struct Removed {
    gone: Vec<Node>,
    /// Those that are still there, or may be, each with the reason.
    left: Vec<(Node, PluginError)>,
}

impl Engine {
    /// Destroys nodes, after their `destroy-server` phase. What cannot be destroyed stands in the
    /// outcome and hides nothing of the others.
    pub(super) async fn destroy(
        &self,
        groups: &[Arc<GroupSpec>],
        nodes: Vec<Node>,
        others: &[Member],
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
            let options = LiftOptions {
                phases: vec![PhaseChoice::Named(DESTROY_SERVER.to_owned())],
                ..options.clone()
            };
            // a node that cannot say good-bye is destroyed all the same; its failure is told
            let (said, _) =
                self.configure(with_phase, others.to_vec(), &options, Purpose::Lift).await?;
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
            self.tell(Event::Destroying {
                node: node.name.clone(),
                group: node.group.clone().unwrap_or_default(),
            });
        }
        let removed = self.remove(nodes).await;
        outcome.destroyed.extend(removed.gone.into_iter().map(|node| node.name));
        for (node, error) in removed.left {
            self.not_destroyed(&node, &error, outcome);
        }
        Ok(())
    }

    /// Says of which nodes their provider never destroys any, before anything is destroyed.
    pub(super) fn tell_permanent(&self, nodes: &[Node]) {
        if nodes.is_empty() {
            return;
        }
        let mut names: Vec<_> = nodes.iter().map(|node| node.name.as_str()).collect();
        names.sort_by_cached_key(|name| natural(name));
        let (stays, it) = if names.len() == 1 {
            ("stays: its provider", "it")
        } else {
            (
                "stay: \
            their provider",
                "them",
            )
        };
        let message =
            format!("{} {stays} only lists {it}, and never destroys machines", shortened(&names));
        self.tell(Event::Warning { node: None, message });
    }

    /// Nodes that should go and that their provider never destroys have failed.
    pub(super) fn keep_permanent(&self, nodes: &[Node], outcome: &mut Outcome) {
        for node in nodes {
            let error = PluginError::new(
                ErrorKind::Unsupported,
                "its provider only lists it, and \
                never destroys machines",
            )
            .with_help(
                "take it out of the service's options in pallet.toml, or raise the \
                    count of its group",
            );
            self.not_destroyed(node, &error, outcome);
        }
    }

    fn not_destroyed(&self, node: &Node, error: &PluginError, outcome: &mut Outcome) {
        let (name, group) = (node.name.clone(), node.group.clone().unwrap_or_default());
        let mut error = NodeError::new(format!("could not be destroyed: {error}"));
        error.redact(&self.vault);
        let result = NodeResult::Failed { changes: 0, error };
        self.tell(Event::NodeFinished {
            node: name.clone(),
            group: group.clone(),
            result: result.clone(),
        });
        outcome.nodes.push(NodeOutcome { node: name, group, drifted: 0, result });
    }

    /// Destroys new nodes that never answered: they were of no use to anybody yet. Their failure
    /// stands in the outcome.
    pub(super) async fn destroy_silent(&self, silent: Vec<Node>, outcome: &mut Outcome) {
        if silent.is_empty() || self.cancel.is_cancelled() {
            return;
        }
        let Removed { gone, left } = self.remove(silent).await;
        let gone: BTreeSet<_> = gone.into_iter().map(|node| node.name).collect();
        let left: BTreeMap<_, _> =
            left.into_iter().map(|(node, error)| (node.name, error)).collect();
        outcome.created.retain(|name| !gone.contains(name));
        for node in &mut outcome.nodes {
            let NodeResult::Failed { error, .. } = &mut node.result else { continue };
            if gone.contains(&node.node) {
                error.message += "; the node was destroyed";
            } else if let Some(why) = left.get(&node.node) {
                error.message += &format!("; the node could not be destroyed: {why}");
            }
        }
    }

    /// Destroys nodes, and tells what became of each.
    async fn remove(&self, nodes: Vec<Node>) -> Removed {
        let ids: Vec<_> = nodes.iter().map(|node| node.id.clone()).collect();
        let removed = match self.ask(move |service| service.destroy_nodes(&ids)).await {
            Ok(()) => Removed { gone: nodes, left: Vec::new() },
            Err(error) => self.what_is_left(nodes, error.into()).await,
        };
        for node in &removed.gone {
            if let Some(cache) = &self.facts_cache {
                cache.remove(&self.project, &node.id);
            }
            if let Some(connections) = &self.connections {
                connections.forget(&node.id);
            }
            self.tell(Event::Destroyed {
                node: node.name.clone(),
                group: node.group.clone().unwrap_or_default(),
            });
        }
        removed
    }

    /// Which of these nodes are still there after an error. Where the provider does not say it of
    /// each, it is asked once more.
    async fn what_is_left(&self, nodes: Vec<Node>, error: PluginError) -> Removed {
        let mut removed = Removed::default();
        let there: Option<BTreeSet<String>> = match error.nodes.is_empty() {
            true => {
                self.nodes().await.ok().map(|nodes| nodes.into_iter().map(|node| node.id).collect())
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

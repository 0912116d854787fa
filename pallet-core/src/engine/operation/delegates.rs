//! The nodes on which phases of other nodes run actions, such as a balancer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::member::Member;
use super::options::LiftOptions;
use crate::action::{self, CONTROLLER, Declared};
use crate::engine::predicted::PredictedNode;
use crate::engine::{Engine, GroupSpec};
use crate::model::{Connection, Facts, Node};
use crate::observe::Observation;

/// The nodes on which phases of other nodes run actions. Each has a connection of its own, and is
/// used by one node at a time.
#[derive(Clone)]
pub(super) struct Delegates(Arc<Inner>);

#[derive(Clone)]
struct Candidate {
    node: Node,
    group: Arc<GroupSpec>,
    /// The facts of a node that does not exist yet.
    predicted: Option<Facts>,
}

struct Inner {
    nodes: Mutex<BTreeMap<String, Candidate>>,
    options: LiftOptions,
    /// What a dry run asks each node, before it predicts any of its changes.
    expected: Mutex<BTreeMap<String, Observation>>,
    used: Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<Member>>>>,
}

impl Delegates {
    /// Any of these nodes.
    pub(super) fn among<'a>(
        nodes: impl Iterator<Item = (&'a Node, &'a Arc<GroupSpec>, Option<&'a Facts>)>,
        options: &LiftOptions,
    ) -> Self {
        let nodes = nodes.map(|(node, group, predicted)| {
            let (node, group) = (node.clone(), group.clone());
            (node.id.clone(), Candidate { node, group, predicted: predicted.cloned() })
        });
        let (nodes, options) = (Mutex::new(nodes.collect()), options.clone());
        let (expected, used) = Default::default();
        Delegates(Arc::new(Inner { nodes, options, expected, used }))
    }

    /// The node with this ID, on behalf of a node of a group; `None` if there is none.
    pub(super) fn get(
        &self,
        engine: &Engine,
        id: &str,
        group: &Arc<GroupSpec>,
    ) -> Option<Arc<tokio::sync::Mutex<Member>>> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = used.get(id) {
            return Some(known.clone());
        }
        let nodes = self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let Candidate { node, group, predicted } = match nodes.get(id) {
            Some(known) => known.clone(),
            None if id == CONTROLLER => Candidate {
                node: Node::new(CONTROLLER, "controller", Connection::Local),
                group: group.clone(),
                predicted: None,
            },
            None => return None,
        };
        let options = &self.0.options;
        let member = match predicted {
            Some(facts) => Member::predicted(engine, PredictedNode { node, facts }, group, options),
            None => Member::new(engine, node, group, options),
        };
        let member = Arc::new(tokio::sync::Mutex::new(member));
        used.insert(id.to_owned(), member.clone());
        Some(member)
    }

    /// Adds what actions that run elsewhere need to know there.
    pub(super) fn expect<'a>(&self, declared: impl Iterator<Item = &'a Declared>) {
        let mut expected = self.0.expected.lock().unwrap_or_else(PoisonError::into_inner);
        for one in declared {
            if let Some(place) = &one.place {
                let wanted = action::observation([one]);
                expected.entry(place.clone()).or_default().extend(wanted);
            }
        }
    }

    /// All that was added for a node.
    pub(super) fn expected(&self, id: &str) -> Observation {
        let expected = self.0.expected.lock().unwrap_or_else(PoisonError::into_inner);
        expected.get(id).cloned().unwrap_or_default()
    }

    /// Learns what changed of a node, such as the user who logs in to it.
    pub(super) fn learn(&self, node: &Node) {
        let mut nodes = self.0.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = nodes.get_mut(&node.id) {
            known.node.clone_from(node);
        }
    }

    /// Takes out all nodes that were used.
    pub(super) fn take(&self) -> Vec<Arc<tokio::sync::Mutex<Member>>> {
        let mut used = self.0.used.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *used).into_values().collect()
    }
}

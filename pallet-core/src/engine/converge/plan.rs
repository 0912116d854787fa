//! What a converge would do to the nodes themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::super::lift::natural;
use super::super::template::{Choice, NoMatch};
use super::super::{Engine, EngineError, GroupSpec};
use crate::model::{Node, NodeStatus};
use crate::plugin::{ErrorKind, PluginError, WantedOffers};

/// What a converge would do to the nodes themselves.
#[derive(Debug, Clone, Default)]
pub struct ConvergePlan {
    /// Nodes to create: group and name.
    pub create: Vec<(String, String)>,
    /// Nodes that exist and do not run: those that are stopped will be started, and those that are starting waited for.
    pub start: Vec<Node>,
    /// Nodes to destroy.
    pub destroy: Vec<Node>,
    /// Nodes that stay.
    pub keep: Vec<Node>,
    /// For each group of which nodes are created: what they will be, and why; or why there is nothing that they can be.
    pub choices: BTreeMap<String, Result<Choice, PlanError>>,
    /// Groups that have no node and will have one.
    pub begin: BTreeSet<String>,
    /// Groups that have a node and will have none.
    pub end: BTreeSet<String>,
}

/// Why nodes of a group cannot be planned.
#[derive(Debug, Clone)]
pub enum PlanError {
    /// Nothing satisfies the node-spec.
    NoMatch(NoMatch),
    /// The service could not be asked.
    Service(PluginError),
}

impl From<PlanError> for PluginError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::NoMatch(error) => PluginError::new(ErrorKind::InvalidInput, error.to_string()),
            PlanError::Service(error) => error,
        }
    }
}

impl ConvergePlan {
    /// The names of the nodes that there will be.
    pub(super) fn names(&self) -> Vec<String> {
        let there = self.keep.iter().chain(&self.start).map(|node| node.name.clone());
        let mut names: Vec<_> = there.chain(self.create.iter().map(|(_, name)| name.clone())).collect();
        names.sort_by_key(|name| natural(name));
        names
    }

    /// Whether the nodes stay as they are.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty() && self.start.is_empty() && self.destroy.is_empty()
    }
}

impl Engine {
    /// What must be created and destroyed so that each group has its count.
    pub async fn plan_converge(&self, groups: &[GroupSpec]) -> Result<ConvergePlan, EngineError> {
        let nodes = self.ask(|service| service.nodes()).await?;
        let mut plan = ConvergePlan::default();
        for group in groups {
            let count = group.count.ok_or_else(|| EngineError::NoCount { group: group.name.clone() })? as usize;
            let mut own: Vec<_> = nodes.iter().filter(|node| node.group.as_deref() == Some(group.name.as_str())).cloned().collect();
            let before = own.len();
            // those that go first stand last: what is not well, then the newest
            own.sort_by_key(|node| (health(node.status), node.created, natural(&node.name)));
            plan.destroy.extend(own.split_off(own.len().min(count)));
            let taken: BTreeSet<_> = own.iter().map(|node| node.name.clone()).collect();
            let free = (1..).map(|number| format!("{}-{number}", group.name)).filter(|name| !taken.contains(name));
            let missing = count - own.len();
            plan.create.extend(free.take(missing).map(|name| (group.name.clone(), name)));
            let waiting = |node: &Node| matches!(node.status, NodeStatus::Stopped | NodeStatus::Starting);
            let (waiting, running): (Vec<_>, Vec<_>) = own.into_iter().partition(waiting);
            plan.start.extend(waiting);
            plan.keep.extend(running);
            match (before, count) {
                (0, 1..) => drop(plan.begin.insert(group.name.clone())),
                (1.., 0) => drop(plan.end.insert(group.name.clone())),
                _ => {}
            }
            if missing > 0 {
                plan.choices.insert(group.name.clone(), self.choose(group).await);
            }
        }
        Ok(plan)
    }

    /// What the nodes of a group will be.
    pub(in super::super) async fn choose(&self, group: &GroupSpec) -> Result<Choice, PlanError> {
        let spec = group.server.node_spec.clone();
        let wanted = WantedOffers { group: Some(group.name.clone()), spec: spec.clone() };
        let offers = self.ask(move |service| service.offers(&wanted)).await.map_err(|error| PlanError::Service(error.into()))?;
        offers.choose(&spec).map_err(PlanError::NoMatch)
    }
}

/// The healthiest first.
fn health(status: NodeStatus) -> u8 {
    match status {
        NodeStatus::Running | NodeStatus::Starting => 0,
        NodeStatus::Unknown => 1,
        NodeStatus::Stopped => 2,
        NodeStatus::Failed => 3,
    }
}

//! Plan of a converge: which nodes to create, start and destroy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::outdated::{outdated, to_replace};
use super::protection::{check_protection, is_protected};
use crate::engine::operation::{Division, GroupedNode, NodeChanges, check_counts};
use crate::engine::selection::no_such_name;
use crate::engine::template::{Choice, NoMatch};
use crate::engine::{Engine, EngineError, GroupSpec};
use crate::model::{Node, NodeStatus, natural};
use crate::plugin::{ErrorKind, PluginError, WantedOffers};

/// Plan of a converge: which nodes to create, start and destroy.
#[derive(Debug, Clone, Default)]
pub struct ConvergePlan {
    /// Nodes to create: group and name.
    pub create: Vec<(String, String)>,
    /// Nodes that exist but do not run. Stopped nodes will be started; starting nodes are waited
    /// for.
    pub start: Vec<Node>,
    /// Nodes to destroy.
    pub destroy: Vec<Node>,
    /// Nodes that should be destroyed, but that their provider never destroys. They stay, and each
    /// is reported as failed.
    pub permanent: Vec<Node>,
    /// Nodes that stay.
    pub keep: Vec<Node>,
    /// Nodes that will be made anew.
    pub replace: Vec<Node>,
    /// Surplus nodes that are destroyed only after the others are configured: an interrupted
    /// operation already created the nodes that replace them.
    pub(super) retire: Vec<Node>,
    /// Nodes that are not what their node-spec now says, each with what differs.
    pub outdated: Vec<(Node, Vec<&'static str>)>,
    /// Nodes of the project's other groups, which this converge does not change. Functions see
    /// them.
    pub(in crate::engine) others: Vec<GroupedNode>,
    /// Nodes whose group the project does not declare. They stay, unless
    /// [`remove_undeclared`](ConvergePlan::remove_undeclared) is called.
    pub undeclared: Vec<Node>,
    /// For each group with nodes to create: the choice of image, hardware and location with its
    /// reasons, or why nothing fits.
    pub choices: BTreeMap<String, Result<Choice, PlanError>>,
    /// Groups that get their first node.
    pub begin: BTreeSet<String>,
    /// Groups that lose their last node.
    pub end: BTreeSet<String>,
}

/// Why a group's nodes cannot be planned.
#[derive(Debug, Clone)]
pub enum PlanError {
    /// Nothing satisfies the node-spec.
    NoMatch(NoMatch),
    /// The service failed to list its offers.
    Service(PluginError),
}

impl From<PlanError> for PluginError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::NoMatch(error) => {
                PluginError::new(ErrorKind::InvalidInput, error.to_string())
            }
            PlanError::Service(error) => error,
        }
    }
}

impl ConvergePlan {
    /// The names of the nodes that the converge is for: those of the ones to keep, and those that
    /// are started and created.
    pub(super) fn names_with(&self, keep: &[Node]) -> Vec<String> {
        let there = keep.iter().chain(&self.start).map(|node| node.name.clone());
        let mut names: Vec<_> =
            there.chain(self.create.iter().map(|(_, name)| name.clone())).collect();
        names.sort_by_cached_key(|name| natural(name));
        names
    }

    /// Also destroys nodes of undeclared groups, except those that are protected by their tag and
    /// those that their provider never destroys.
    pub fn remove_undeclared(&mut self) {
        let (stay, undeclared): (Vec<_>, Vec<_>) = std::mem::take(&mut self.undeclared)
            .into_iter()
            .partition(|node| node.permanent || is_protected(node, None));
        self.undeclared = stay;
        self.destroy.extend(undeclared);
    }

    /// All nodes that will be destroyed, including those that will be made anew.
    pub fn leaving(&self) -> Vec<Node> {
        self.destroy.iter().chain(&self.retire).chain(&self.replace).cloned().collect()
    }

    /// Sorts nodes that should go into permanent nodes and nodes to destroy.
    fn give_up(&mut self, nodes: Vec<Node>) {
        let (permanent, destroy): (Vec<_>, Vec<_>) =
            nodes.into_iter().partition(|node| node.permanent);
        self.permanent.extend(permanent);
        self.destroy.extend(destroy);
    }

    /// Whether no node is created, started or destroyed.
    pub fn is_empty(&self) -> bool {
        self.create.is_empty()
            && self.start.is_empty()
            && self.leaving().is_empty()
            && self.permanent.is_empty()
    }
}

impl Engine {
    /// Plans which nodes to create and destroy so that each group reaches its count, and which to
    /// make anew.
    pub async fn plan_converge(
        &self,
        groups: &[GroupSpec],
        changes: &NodeChanges,
    ) -> Result<ConvergePlan, EngineError> {
        check_counts(groups.iter(), self.max_nodes)?;
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let all = self.nodes().await?;
        self.check_unprotect(groups, &all, changes)?;
        let Division { own, others, undeclared } = self.divide(all, &shared);
        let replace = to_replace(&own, &others, changes)?;
        let mut plan = ConvergePlan { others, undeclared, ..ConvergePlan::default() };
        let mut of_group: BTreeMap<String, Vec<Node>> = BTreeMap::new();
        for (node, group) in own {
            of_group.entry(group.name.clone()).or_default().push(node);
        }
        for group in groups {
            let count =
                group.count.ok_or_else(|| EngineError::NoCount { group: group.name.clone() })?
                    as usize;
            let mut own = of_group.remove(&group.name).unwrap_or_default();
            let before = own.len();
            if before + count == 0
                && self
                    .declared
                    .as_ref()
                    .is_some_and(|declared| declared.iter().all(|known| known.name != group.name))
            {
                let declared = self.declared.iter().flatten().map(|group| group.name.as_str());
                let there: BTreeSet<_> =
                    plan.undeclared.iter().filter_map(|node| node.group.as_deref()).collect();
                return Err(no_such_name("group", &group.name, declared.chain(there)));
            }
            // the nodes to destroy come last: unhealthy ones, outdated ones, then the newest;
            // permanent nodes come first, so that others go instead
            own.sort_by_cached_key(|node| {
                let leaves = replace.contains(&node.id);
                let health = (leaves, health(node.status), outdated(node, group).is_some());
                (!node.permanent, health, node.created, natural(&node.name))
            });
            let surplus = own.split_off(own.len().min(count));
            let surge = group.server.rollout.as_ref().map_or(0, |rollout| rollout.surge);
            let (retire, surplus): (Vec<_>, Vec<_>) = surplus
                .into_iter()
                .partition(|node| surge > 0 && replace.contains(&node.id) && !node.permanent);
            check_protection(group, count, before, surplus.iter().chain(&retire), changes)?;
            plan.retire.extend(retire);
            plan.give_up(surplus);
            let taken: BTreeSet<_> = own.iter().map(|node| node.name.clone()).collect();
            let free = (1..)
                .map(|number| format!("{}-{number}", group.name))
                .filter(|name| !taken.contains(name));
            let missing = count - own.len();
            plan.create.extend(free.take(missing).map(|name| (group.name.clone(), name)));
            let replaced = |node: &Node| replace.contains(&node.id);
            let (replaced, own): (Vec<_>, Vec<_>) = own.into_iter().partition(replaced);
            check_protection(group, count, count, replaced.iter(), changes)?;
            let rest = own.iter().filter_map(|node| Some((node.clone(), outdated(node, group)?)));
            plan.outdated.extend(rest);
            plan.replace.extend(replaced);
            let waiting =
                |node: &Node| matches!(node.status, NodeStatus::Stopped | NodeStatus::Starting);
            let (waiting, running): (Vec<_>, Vec<_>) = own.into_iter().partition(waiting);
            plan.start.extend(waiting);
            plan.keep.extend(running);
            match (before, count) {
                (0, 1..) => {
                    plan.begin.insert(group.name.clone());
                }
                (1.., 0) => {
                    plan.end.insert(group.name.clone());
                }
                _ => {}
            }
            let replaces = plan.replace.iter().any(|node| group.owns(node));
            if missing > 0 || replaces {
                let choice = self.choose(group).await;
                if let (Err(error), true) = (&choice, replaces) {
                    let why = PluginError::from(error.clone());
                    let name = &group.name;
                    let message = format!("nodes of group {name} cannot be made anew: {why}");
                    return Err(EngineError::Refused(message));
                }
                plan.choices.insert(group.name.clone(), choice);
            }
        }
        Ok(plan)
    }

    /// Chooses image, hardware and location for a group's new nodes.
    pub(in crate::engine) async fn choose(&self, group: &GroupSpec) -> Result<Choice, PlanError> {
        let spec = group.server.node_spec.clone();
        let wanted = WantedOffers { group: Some(group.name.clone()), spec: spec.clone() };
        let offers = self
            .ask(move |service| service.offers(&wanted))
            .await
            .map_err(|error| PlanError::Service(error.into()))?;
        offers.choose(&spec).map_err(PlanError::NoMatch)
    }
}

/// Sort key of a status: the healthiest is lowest.
fn health(status: NodeStatus) -> u8 {
    match status {
        NodeStatus::Running | NodeStatus::Starting => 0,
        NodeStatus::Unknown => 1,
        NodeStatus::Stopped => 2,
        NodeStatus::Failed => 3,
    }
}

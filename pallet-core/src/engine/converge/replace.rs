//! Makes nodes anew, wave by wave, and keeps the capacity of their group if it has a surge.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nodes::Nodes;
use super::plan::ConvergePlan;
use crate::engine::operation::{GroupedNode, Purpose, with_groups};
use crate::engine::{EngineError, GroupSpec, NodeOutcome, NodeResult, Rollout, Share, Waves};
use crate::model::Node;

impl Nodes<'_> {
    /// Makes the nodes anew that the plan says. After each step, all nodes are configured, so that
    /// a balancer learns of the new nodes before the old ones go. `there` are the configured nodes.
    pub(super) async fn replace(
        &mut self,
        plan: &ConvergePlan,
        mut there: Vec<GroupedNode>,
    ) -> Result<(), EngineError> {
        for group in self.groups {
            let mut old: Vec<Node> =
                plan.replace.iter().filter(|node| is_of(node, group)).cloned().collect();
            let rollout = group.server.rollout.clone().unwrap_or_default();
            for size in steps(&rollout, self.options.rollout.waves.as_ref(), old.len()) {
                let rest: Vec<_> = old.split_off(size);
                let step = std::mem::replace(&mut old, rest);
                if let Some(why) = self.why_stop(group, &rollout) {
                    let left: Vec<_> =
                        step.iter().chain(&old).map(|node| node.name.clone()).collect();
                    self.not_reached(&left, &group.name, &why);
                    break;
                }
                self.replace_step(plan, group, &rollout, step, &mut there).await?;
            }
        }
        Ok(())
    }

    /// Destroys the nodes whose successors an interrupted operation created, unless too many others
    /// failed.
    pub(super) async fn retire(
        &mut self,
        plan: &ConvergePlan,
        there: &mut Vec<GroupedNode>,
    ) -> Result<(), EngineError> {
        let mut going = Vec::new();
        for group in self.groups {
            let own = plan.retire.iter().filter(|node| is_of(node, group)).cloned();
            let rollout = group.server.rollout.clone().unwrap_or_default();
            match self.why_stop(group, &rollout) {
                None => going.extend(own),
                Some(why) => {
                    let names: Vec<_> = own.map(|node| node.name).collect();
                    self.not_reached(&names, &group.name, &why);
                }
            }
        }
        if going.is_empty() {
            return Ok(());
        }
        let staying: Vec<_> = self.others.iter().chain(there.iter()).cloned().collect();
        self.destroy(going.clone(), &staying).await?;
        self.others.retain(|(node, _)| going.iter().all(|one| one.id != node.id));
        self.configure(there, BTreeSet::new()).await
    }

    /// Makes some nodes of a group anew.
    async fn replace_step(
        &mut self,
        plan: &ConvergePlan,
        group: &Arc<GroupSpec>,
        rollout: &Rollout,
        old: Vec<Node>,
        there: &mut Vec<GroupedNode>,
    ) -> Result<(), EngineError> {
        let staying = |there: &[GroupedNode], nodes: &Self| {
            nodes.others.iter().cloned().chain(there.iter().cloned()).collect::<Vec<_>>()
        };
        let is_old = |node: &Node| old.iter().any(|one| one.id == node.id);
        if rollout.surge == 0 {
            let others = staying(there, self);
            self.destroy(old.clone(), &others).await?;
            self.others.retain(|(node, _)| !is_old(node));
        }
        let taken: BTreeSet<String> = there
            .iter()
            .chain(&self.others)
            .map(|(node, _)| node.name.clone())
            .chain(self.outcome.created.iter().cloned())
            .collect();
        let names = (1..)
            .map(|number| format!("{}-{number}", group.name))
            .filter(|name| !taken.contains(name))
            .take(old.len());
        let create = names.map(|name| (group.name.clone(), name)).collect();
        let choices = plan.choices.clone();
        let made = self.create(ConvergePlan { create, choices, ..Default::default() }).await?;
        let fresh: BTreeSet<_> = made.iter().map(|node| node.id.clone()).collect();
        there.extend(with_groups(made, self.groups));
        self.configure(there, fresh.clone()).await?;
        if rollout.surge > 0 {
            // an old node goes only for a new one that works
            let failed = |node: &Node| {
                let of_node = |one: &&NodeOutcome| one.node == node.name && !one.result.ok();
                self.outcome.nodes.iter().any(|one| of_node(&one))
            };
            let working =
                there.iter().filter(|(node, _)| fresh.contains(&node.id) && !failed(node)).count();
            let new = match self.why_stop(group, rollout) {
                None => working,
                Some(_) => 0,
            };
            let mut going = old.clone();
            let left: Vec<_> = going.split_off(new.min(old.len()));
            let left: Vec<_> = left.into_iter().map(|node| node.name).collect();
            self.not_reached(&left, &group.name, "the node that was to replace it failed");
            let others = staying(there, self);
            let is_gone = |node: &Node| going.iter().any(|one| one.id == node.id);
            self.destroy(going.clone(), &others).await?;
            self.others.retain(|(node, _)| !is_gone(node));
            // those that knew the old nodes forget them
            self.configure(there, BTreeSet::new()).await?;
        }
        Ok(())
    }

    /// Configures these nodes, and takes out those that never answered.
    pub(super) async fn configure(
        &mut self,
        there: &mut Vec<GroupedNode>,
        fresh: BTreeSet<String>,
    ) -> Result<(), EngineError> {
        let purpose = Purpose::Converge { fresh };
        let configured =
            self.engine.configure(there.clone(), self.others.clone(), self.options, purpose);
        let (configured, silent) = configured.await?;
        self.add(configured.nodes);
        there.retain(|(node, _)| silent.iter().all(|gone| gone.id != node.id));
        self.destroy_silent(silent).await
    }

    /// Why no more nodes are replaced, if so.
    fn why_stop(&self, group: &GroupSpec, rollout: &Rollout) -> Option<String> {
        if self.engine.cancel.is_cancelled() {
            return Some("the operation was stopped".to_owned());
        }
        let of_group = || self.outcome.nodes.iter().filter(|node| node.group == group.name);
        let failed =
            of_group().filter(|node| matches!(node.result, NodeResult::Failed { .. })).count();
        let limit = self.options.rollout.max_failures.or(rollout.max_failures);
        let limit = limit.unwrap_or(Share::Nodes(0)).at_most(of_group().count());
        let nodes = if failed == 1 { "node" } else { "nodes" };
        (failed > limit).then(|| {
            let group = &group.name;
            format!("{failed} {nodes} of group {group} failed, and max_failures is {limit}")
        })
    }
}

/// The sizes of the steps in which so many nodes are made anew: one by one if nothing is said.
fn steps(rollout: &Rollout, waves: Option<&Waves>, nodes: usize) -> Vec<usize> {
    let sizes = match waves.or(rollout.waves.as_ref()) {
        Some(waves) => waves.sizes(nodes),
        None => vec![1; nodes],
    };
    let surge = match rollout.surge as usize {
        0 => nodes.max(1),
        surge => surge,
    };
    let parts = |size: usize| (0..size).step_by(surge).map(move |at| surge.min(size - at));
    sizes.into_iter().flat_map(parts).collect()
}

fn is_of(node: &Node, group: &GroupSpec) -> bool {
    node.group.as_deref() == Some(group.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_never_larger_than_the_surge() {
        let rollout = |surge| Rollout { surge, ..Rollout::default() };
        let waves: Waves = "1,100%".parse().unwrap();
        assert_eq!(steps(&rollout(0), None, 3), [1, 1, 1]);
        assert_eq!(steps(&rollout(0), Some(&waves), 6), [1, 5]);
        assert_eq!(steps(&rollout(2), Some(&waves), 6), [1, 2, 2, 1]);
        assert_eq!(steps(&rollout(2), Some(&waves), 0), [0; 0]);
    }
}

//! Makes nodes anew, wave by wave, and keeps the capacity of their group if it has a surge.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nodes::Nodes;
use super::plan::ConvergePlan;
use crate::engine::operation::{GroupedNode, Purpose, too_many, with_groups};
use crate::engine::{EngineError, GroupSpec, NodeOutcome, NodeResult, Rollout};
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
                plan.replace.iter().filter(|node| group.owns(node)).cloned().collect();
            let rollout = self.options.rollout.of(group);
            for size in steps(&rollout, old.len()) {
                let rest: Vec<_> = old.split_off(size);
                let step = std::mem::replace(&mut old, rest);
                if let Some(why) = self.why_stop(group, &rollout) {
                    let left: Vec<_> =
                        step.iter().chain(&old).map(|node| node.name.clone()).collect();
                    self.not_replaced(&left, &group.name, &why);
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
            let own = plan.retire.iter().filter(|node| group.owns(node)).cloned();
            match self.why_stop(group, &self.options.rollout.of(group)) {
                None => going.extend(own),
                Some(why) => {
                    let names: Vec<_> = own.map(|node| node.name).collect();
                    self.not_replaced(&names, &group.name, &why);
                }
            }
        }
        if going.is_empty() {
            return Ok(());
        }
        self.destroy_others(going, there).await?;
        self.configure(there, BTreeSet::new()).await
    }

    /// Destroys nodes that were only seen so far; the rest are seen by them, and see them no more.
    async fn destroy_others(
        &mut self,
        going: Vec<Node>,
        there: &[GroupedNode],
    ) -> Result<(), EngineError> {
        let ids: BTreeSet<_> = going.iter().map(|node| node.id.clone()).collect();
        let staying: Vec<_> = self.others.iter().chain(there).cloned().collect();
        self.destroy(going, &staying).await?;
        // one that could not be destroyed still has its name
        let destroyed = &self.outcome.destroyed;
        self.others.retain(|(node, _)| !(ids.contains(&node.id) && destroyed.contains(&node.name)));
        Ok(())
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
        if rollout.surge == 0 {
            self.destroy_others(old.clone(), there).await?;
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
            let mut going = old;
            let left: Vec<_> = going.split_off(new.min(going.len()));
            let left: Vec<_> = left.into_iter().map(|node| node.name).collect();
            self.not_replaced(&left, &group.name, "the node that was to replace it failed");
            self.destroy_others(going, there).await?;
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
        let limit = rollout.budget(of_group().count()).unwrap_or(0);
        too_many(failed, &group.name, limit)
    }
}

/// The sizes of the steps in which so many nodes are made anew: one by one if nothing is said.
fn steps(rollout: &Rollout, nodes: usize) -> Vec<usize> {
    let sizes = match &rollout.waves {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_never_larger_than_the_surge() {
        let rollout = |surge, waves: Option<&str>| {
            let waves = waves.map(|waves| waves.parse().unwrap());
            Rollout { surge, waves, ..Rollout::default() }
        };
        let waves = Some("1,100%");
        assert_eq!(steps(&rollout(0, None), 3), [1, 1, 1]);
        assert_eq!(steps(&rollout(0, waves), 6), [1, 5]);
        assert_eq!(steps(&rollout(2, waves), 6), [1, 2, 2, 1]);
        assert_eq!(steps(&rollout(2, waves), 0), [0; 0]);
    }
}

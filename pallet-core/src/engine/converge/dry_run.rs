//! Dry run of a converge: changes to the nodes, and to each node's configuration.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::Nodes;
use super::plan::ConvergePlan;
use crate::engine::operation::{Event, Purpose, with_groups};
use crate::engine::predicted::PredictedNode;
use crate::engine::system::System;
use crate::engine::{EngineError, GroupSpec};
use crate::model::Node;
use crate::plugin::PluginError;

impl Nodes<'_> {
    /// Shows what a converge would do. New nodes are planned against a predicted fresh image.
    pub(super) async fn dry_converge(&mut self, mut plan: ConvergePlan) -> Result<(), EngineError> {
        for node in &plan.start {
            let group = node.group.clone().unwrap_or_default();
            self.engine.tell(Event::creating(&node.name, &group, None));
            self.outcome.created.push(node.name.clone());
        }
        // what is made anew is destroyed and created
        let replaced = std::mem::take(&mut plan.replace);
        plan.create.extend(self.new_names(&plan, &replaced));
        let leaving =
            [std::mem::take(&mut plan.destroy), std::mem::take(&mut plan.retire), replaced];
        let leaving = leaving.concat();
        let staying = with_groups(plan.keep.iter().cloned(), self.groups);
        let staying: Vec<_> = self.others.iter().cloned().chain(staying).collect();
        self.run_last_phases(&leaving, &staying).await?;
        for node in leaving {
            self.engine.tell(Event::Destroying {
                node: node.name.clone(),
                group: node.group.unwrap_or_default(),
            });
            self.outcome.destroyed.push(node.name);
        }
        let predicted = self.predict(&plan).await;
        // nodes that would be started cannot be asked, but functions still see them
        let others = self.others.iter().cloned().chain(with_groups(plan.start, self.groups));
        let nodes = with_groups(plan.keep, self.groups);
        let predicted = PredictedNode::with_groups(predicted, self.groups);
        let purpose = Purpose::DryConverge { predicted };
        let (configured, _) =
            self.engine.configure(nodes, others.collect(), self.options, purpose).await?;
        self.outcome.nodes.extend(configured.nodes);
        Ok(())
    }

    /// The names of the nodes that would replace others, each with its group.
    fn new_names(&self, plan: &ConvergePlan, replaced: &[Node]) -> Vec<(String, String)> {
        let mut taken: BTreeSet<String> = plan.names_with(&plan.keep).into_iter().collect();
        let mut names = Vec::new();
        for group in self.groups {
            let surge = group.server.rollout.as_ref().map_or(0, |rollout| rollout.surge);
            let old = replaced.iter().filter(|node| group.owns(node));
            for node in old {
                let name = match surge {
                    0 => Some(node.name.clone()),
                    _ => {
                        taken.insert(node.name.clone());
                        let all = (1..).map(|number| format!("{}-{number}", group.name));
                        all.into_iter().find(|name| {
                            !taken.contains(name) && replaced.iter().all(|old| old.name != *name)
                        })
                    }
                };
                taken.extend(name.clone());
                names.extend(name.map(|name| (group.name.clone(), name)));
            }
        }
        names
    }

    /// Predicts the nodes that would be created.
    async fn predict(&mut self, plan: &ConvergePlan) -> Vec<PredictedNode> {
        let mut guesses: BTreeMap<&str, System> = BTreeMap::new();
        let mut predicted = Vec::new();
        for (group, name) in &plan.create {
            let choice = match plan.choices.get(group) {
                Some(Err(error)) => {
                    let error = PluginError::from(error.clone());
                    self.not_created(std::slice::from_ref(name), group, &error);
                    continue;
                }
                choice => choice.and_then(|choice| choice.as_ref().ok()),
            };
            self.engine.tell(Event::creating(name, group, choice));
            self.outcome.created.push(name.clone());
            let node = PredictedNode::of(name, group, choice);
            let spec = self.groups.iter().find(|spec| spec.name == *group);
            predicted.extend(match (node, spec) {
                (None, Some(spec)) => {
                    if !guesses.contains_key(group.as_str()) {
                        guesses.insert(group, self.guess_system(spec).await);
                    }
                    guesses.get(group.as_str()).map(|system| {
                        let hardware = system.hardware.as_ref();
                        PredictedNode::with(name, group, system.os.clone(), hardware)
                    })
                }
                (node, _) => node,
            });
        }
        predicted
    }

    async fn guess_system(&self, group: &GroupSpec) -> System {
        let system = self.engine.system_of(group, None).await;
        let message = format!(
            "the system of new nodes of group {} is unknown; planning them as {}: {}",
            group.name, system.os, system.reason
        );
        self.engine.tell(Event::Warning { node: None, message });
        system
    }
}

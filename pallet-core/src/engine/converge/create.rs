//! Creates nodes, and starts existing nodes that are stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::nodes::Nodes;
use super::outdated::tagged_spec;
use super::plan::ConvergePlan;
use crate::engine::operation::Event;
use crate::engine::spec::CREATE_GROUP;
use crate::engine::{EngineError, GroupSpec};
use crate::model::Node;
use crate::plugin::{Created, ErrorKind, PluginError, RunNodes};

impl Nodes<'_> {
    /// Creates the nodes of a plan, group by group. A node that cannot be created is reported and
    /// recorded in the outcome; the others continue.
    pub(super) async fn create(&mut self, plan: ConvergePlan) -> Result<Vec<Node>, EngineError> {
        let mut nodes = Vec::new();
        let mut wanted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (group, name) in &plan.create {
            wanted.entry(group).or_default().push(name.clone());
        }
        for group in self.groups {
            let mut new = wanted.remove(group.name.as_str()).unwrap_or_default();
            let there =
                plan.start.iter().filter(|node| group.owns(node)).map(|node| node.name.clone());
            let choice = match plan.choices.get(&group.name) {
                Some(Err(error)) => {
                    // nothing can be created; existing nodes need no choice
                    self.not_created(&new, &group.name, &error.clone().into());
                    new.clear();
                    None
                }
                choice => choice.and_then(|choice| choice.as_ref().ok()),
            };
            let names: Vec<String> = new.into_iter().chain(there).collect();
            if self.engine.cancel.is_cancelled() {
                self.not_reached(&names, &group.name, "the operation was stopped");
                continue;
            }
            let mut request = RunNodes {
                group: group.name.clone(),
                names: names.clone(),
                spec: tagged_spec(group),
                token: format!("{}/{}", self.engine.project, group.name),
                ..RunNodes::default()
            };
            if let Some(choice) = choice.cloned() {
                (request.image, request.hardware, request.location) =
                    (choice.image, choice.hardware, choice.location);
            }
            if names.is_empty() {
                if plan.keep.iter().any(|node| group.owns(node)) {
                    self.share(request).await?;
                }
                continue;
            }
            if plan.begin.contains(&group.name)
                && !self.run_group_phase(group, CREATE_GROUP).await?
            {
                continue;
            }
            for name in &names {
                self.engine.tell(Event::creating(name, &group.name, choice));
            }
            self.engine.commit().await?;
            // a service that fails as a whole fails each of its nodes; other groups go on
            match self.engine.ask(move |service| service.run_nodes(&request)).await {
                Ok(created) => nodes.extend(self.sort_out(group, &names, created, &plan.start)),
                Err(error) => self.not_created(&names, &group.name, &error.into()),
            }
        }
        Ok(nodes)
    }

    /// Updates what the nodes of a group share (such as who may reach them) to match the group's
    /// spec. If that fails, the nodes are configured anyway.
    async fn share(&self, request: RunNodes) -> Result<(), EngineError> {
        let group = request.group.clone();
        self.engine.intend(Event::Sharing { group: group.clone() }).await?;
        if let Err(error) = self.engine.ask(move |service| service.run_nodes(&request)).await {
            let message = format!("group {group}: cannot update who may reach its nodes: {error}");
            self.engine.tell(Event::Warning { node: None, message });
        }
        Ok(())
    }

    /// Reports the result for each wanted node, and returns the nodes that now exist.
    fn sort_out(
        &mut self,
        group: &GroupSpec,
        names: &[String],
        created: Vec<Created>,
        stopped: &[Node],
    ) -> Vec<Node> {
        let mut nodes = Vec::new();
        let stopped: BTreeSet<_> = stopped.iter().map(|node| &node.id).collect();
        let missing = Created::Failed(PluginError::new(
            ErrorKind::Failed,
            "the provider did not report this node",
        ));
        let created = created.into_iter().chain(std::iter::repeat(missing));
        for (name, created) in names.iter().zip(created) {
            match created {
                Created::Node(node) => {
                    let started = stopped.contains(&node.id);
                    self.engine.tell(Event::Created {
                        node: node.name.clone(),
                        group: group.name.clone(),
                        address: node.address.clone(),
                        started,
                    });
                    if let Some(cache) = &self.engine.facts_cache {
                        cache.remove(&self.engine.project, &node.id);
                    }
                    if !started {
                        self.outcome.created.push(node.name.clone());
                    }
                    nodes.push(*node);
                }
                Created::Failed(error) => {
                    self.not_created(std::slice::from_ref(name), &group.name, &error);
                }
            }
        }
        nodes
    }
}

//! Making nodes, and starting those that are there and do not run.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::considered::Member;
use super::super::event::Event;
use super::super::{Engine, EngineError, GroupSpec, LiftOptions, Outcome};
use super::{ConvergePlan, boundary, not_created};
use crate::model::Node;
use crate::plugin::{Created, ErrorKind, PluginError, RunNodes};

impl Engine {
    /// Makes the nodes of a plan, group by group. What cannot be made is told and stands in the
    /// outcome; the rest goes on.
    pub(super) async fn create(
        &self,
        groups: &[Arc<GroupSpec>],
        plan: ConvergePlan,
        others: &[Member],
        options: &LiftOptions,
        outcome: &mut Outcome,
    ) -> Result<Vec<Node>, EngineError> {
        let mut nodes = Vec::new();
        let mut wanted: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (group, name) in &plan.create {
            wanted.entry(group).or_default().push(name.clone());
        }
        for group in groups {
            let mut new = wanted.remove(group.name.as_str()).unwrap_or_default();
            let there = plan
                .start
                .iter()
                .filter(|node| node.group.as_deref() == Some(group.name.as_str()))
                .map(|node| node.name.clone());
            let choice = match plan.choices.get(&group.name) {
                Some(Err(error)) => {
                    // nothing can be made; what is there needs no choice
                    self.tell_not_created(&new, &group.name, &error.clone().into(), outcome);
                    new.clear();
                    None
                }
                choice => choice.and_then(|choice| choice.as_ref().ok()),
            };
            let names: Vec<String> = new.into_iter().chain(there).collect();
            if self.cancel.is_cancelled() {
                continue;
            }
            let mut request = RunNodes {
                group: group.name.clone(),
                names: names.clone(),
                spec: group.server.node_spec.clone(),
                token: format!("{}/{}", self.project, group.name),
                ..RunNodes::default()
            };
            if let Some(choice) = choice.cloned() {
                (request.image, request.hardware, request.location) =
                    (choice.image, choice.hardware, choice.location);
            }
            if names.is_empty() {
                if plan.keep.iter().any(|node| node.group.as_deref() == Some(group.name.as_str())) {
                    self.share(request).await;
                }
                continue;
            }
            if plan.begin.contains(&group.name)
                && !self
                    .at_boundary(group, boundary::CREATE_GROUP, others, options, outcome)
                    .await?
            {
                continue;
            }
            for name in &names {
                self.tell(Event::creating(name, &group.name, choice));
            }
            // a service that fails as a whole fails each of its nodes; other groups go on
            match self.ask(move |service| service.run_nodes(&request)).await {
                Ok(created) => {
                    nodes.extend(self.sort_out(group, &names, created, &plan.start, outcome))
                }
                Err(error) => self.tell_not_created(&names, &group.name, &error.into(), outcome),
            }
        }
        Ok(nodes)
    }

    /// Brings what the nodes of a group share to what its spec says. They are configured all the
    /// same where that cannot be done.
    async fn share(&self, request: RunNodes) {
        let group = request.group.clone();
        if let Err(error) = self.ask(move |service| service.run_nodes(&request)).await {
            self.tell(Event::Warning {
                node: None,
                message: format!(
                    "group {group}: who may reach \
                its nodes stays as it is: {error}"
                ),
            });
        }
    }

    /// Tells what became of each wanted node, and gives those that there are.
    fn sort_out(
        &self,
        group: &GroupSpec,
        names: &[String],
        created: Vec<Created>,
        stopped: &[Node],
        outcome: &mut Outcome,
    ) -> Vec<Node> {
        let mut nodes = Vec::new();
        let stopped: BTreeSet<_> = stopped.iter().map(|node| &node.id).collect();
        let missing = Created::Failed(PluginError::new(
            ErrorKind::Failed,
            "the provider said \
            nothing of this node",
        ));
        for (name, created) in
            names.iter().zip(created.into_iter().chain(std::iter::repeat(missing)))
        {
            match created {
                Created::Node(node) => {
                    let started = stopped.contains(&node.id);
                    let (name, address) = (node.name.clone(), node.address.clone());
                    self.tell(Event::Created {
                        node: name,
                        group: group.name.clone(),
                        address,
                        started,
                    });
                    if let Some(cache) = &self.facts_cache {
                        cache.remove(&self.project, &node.id);
                    }
                    if !started {
                        outcome.created.push(node.name.clone());
                    }
                    nodes.push(*node);
                }
                Created::Failed(error) => {
                    self.tell_not_created(std::slice::from_ref(name), &group.name, &error, outcome)
                }
            }
        }
        nodes
    }

    fn tell_not_created(
        &self,
        names: &[String],
        group: &str,
        error: &PluginError,
        outcome: &mut Outcome,
    ) {
        for name in names {
            self.tell(Event::NotCreated {
                node: name.clone(),
                group: group.to_owned(),
                error: error.to_string(),
            });
            outcome.nodes.push(not_created(name, group, error));
        }
    }
}

//! Converge: make the right number of nodes exist, then configure them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::event::Event;
use super::lift::{LiftOptions, PhaseChoice, natural, with_groups};
use super::template::Offers;
use super::{Engine, EngineError, GroupSpec, NodeError, NodeOutcome, NodeResult, Outcome};
use crate::model::{Node, NodeStatus};
use crate::plugin::{Created, PluginError, RunNodes};

/// The phase that runs on nodes before they are destroyed.
const DESTROY_SERVER: &str = "destroy-server";

/// What a converge would do to the nodes themselves.
#[derive(Debug, Clone, Default)]
pub struct ConvergePlan {
    /// Nodes to create: group and name.
    pub create: Vec<(String, String)>,
    /// Nodes that exist, are stopped, and will be started.
    pub start: Vec<Node>,
    /// Nodes to destroy.
    pub destroy: Vec<Node>,
    /// Nodes that stay.
    pub keep: Vec<Node>,
}

impl ConvergePlan {
    /// The names of the nodes that there will be.
    fn names(&self) -> Vec<String> {
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
            // those that go first stand last: stopped ones, then the newest
            own.sort_by_key(|node| (node.status == NodeStatus::Stopped, node.created, natural(&node.name)));
            plan.destroy.extend(own.split_off(own.len().min(count)));
            let taken: BTreeSet<_> = own.iter().map(|node| node.name.clone()).collect();
            let free = (1..).map(|number| format!("{}-{number}", group.name)).filter(|name| !taken.contains(name));
            plan.create.extend(free.take(count - own.len()).map(|name| (group.name.clone(), name)));
            let (stopped, running): (Vec<_>, Vec<_>) = own.into_iter().partition(|node| node.status == NodeStatus::Stopped);
            plan.start.extend(stopped);
            plan.keep.extend(running);
        }
        Ok(plan)
    }

    /// Carries out a plan for these groups and configures their nodes, `bootstrap` first where it never ran.
    pub async fn converge(&self, groups: &[GroupSpec], plan: ConvergePlan, options: &LiftOptions) -> Result<Outcome, EngineError> {
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let mut outcome = Outcome::default();
        self.tell(Event::started("converge", options.dry_run, plan.names()));
        let mut nodes = plan.keep;
        if options.dry_run {
            let start = plan.start.iter().map(|node| (node.group.clone().unwrap_or_default(), node.name.clone()));
            for (group, node) in plan.create.into_iter().chain(start) {
                self.tell(Event::Creating { node: node.clone(), group });
                outcome.created.push(node);
            }
            for node in plan.destroy {
                self.tell(Event::Destroying { node: node.name.clone(), group: node.group.unwrap_or_default() });
                outcome.destroyed.push(node.name);
            }
        } else {
            self.destroy(&groups, plan.destroy, options, &mut outcome).await?;
            nodes.extend(self.create(&groups, plan.create, &plan.start, &mut outcome).await?);
        }
        let configured = self.configure(with_groups(nodes, &groups), options, true).await?;
        outcome.nodes.extend(configured.nodes);
        outcome.nodes.sort_by_key(|node| natural(&node.node));
        outcome.cancelled = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Destroys all nodes of the project at the service, and what the service keeps besides them.
    pub async fn down(&self, groups: &[GroupSpec], options: &LiftOptions) -> Result<Outcome, EngineError> {
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let nodes = self.ask(|service| service.nodes()).await?;
        let mut outcome = Outcome::default();
        self.tell(Event::started("down", false, nodes.iter().map(|node| node.name.clone())));
        self.destroy(&groups, nodes, options, &mut outcome).await?;
        self.ask(|service| service.clean_up()).await?;
        Ok(outcome)
    }

    async fn create(
        &self,
        groups: &[Arc<GroupSpec>],
        mut wanted: Vec<(String, String)>,
        stopped: &[Node],
        outcome: &mut Outcome,
    ) -> Result<Vec<Node>, EngineError> {
        wanted.extend(stopped.iter().map(|node| (node.group.clone().unwrap_or_default(), node.name.clone())));
        let mut nodes = Vec::new();
        for group in groups {
            let names: Vec<_> = wanted.iter().filter(|(of, _)| *of == group.name).map(|(_, name)| name.clone()).collect();
            if names.is_empty() || self.cancel.is_cancelled() {
                continue;
            }
            for name in &names {
                self.tell(Event::Creating { node: name.clone(), group: group.name.clone() });
            }
            let token = format!("{}/{}", self.project, names.join(","));
            let mut request = RunNodes {
                group: group.name.clone(),
                names: names.clone(),
                spec: group.server.node_spec.clone(),
                token,
                ..RunNodes::default()
            };
            let choice = Offers::of(self.service.as_ref(), &request.spec).unwrap_or_default().choose(&request.spec).unwrap_or_default();
            (request.image, request.hardware, request.location) = (choice.image, choice.hardware, choice.location);
            let created = self.ask(move |service| service.run_nodes(&request)).await;
            // a service that fails as a whole fails each of its nodes; other groups go on
            let created = created.unwrap_or_else(|error| {
                let error = match error {
                    EngineError::Service { error, .. } => error,
                    other => PluginError::new(crate::plugin::ErrorKind::Failed, other.to_string()),
                };
                vec![Created::Failed(error); names.len()]
            });
            let missing = PluginError::new(crate::plugin::ErrorKind::Failed, "the provider said nothing of this node");
            let created = created.into_iter().chain(std::iter::repeat(Created::Failed(missing)));
            for (name, created) in names.into_iter().zip(created) {
                match created {
                    Created::Node(node) => {
                        let started = stopped.iter().any(|stopped| stopped.id == node.id);
                        let (name, address) = (node.name.clone(), node.address.clone());
                        self.tell(Event::Created { node: name, group: group.name.clone(), address, started });
                        if let Some(cache) = &self.facts_cache {
                            cache.remove(&self.project, &node.id);
                        }
                        if !started {
                            outcome.created.push(node.name.clone());
                        }
                        nodes.push(*node);
                    }
                    Created::Failed(error) => {
                        let error = error.to_string();
                        self.tell(Event::NotCreated { node: name.clone(), group: group.name.clone(), error: error.clone() });
                        let error = NodeError::new(format!("could not be created: {error}"));
                        outcome.nodes.push(NodeOutcome {
                            node: name,
                            group: group.name.clone(),
                            drifted: 0,
                            result: NodeResult::Failed { changes: 0, error },
                        });
                    }
                }
            }
        }
        Ok(nodes)
    }

    async fn destroy(
        &self,
        groups: &[Arc<GroupSpec>],
        nodes: Vec<Node>,
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
            let options = LiftOptions { phases: vec![PhaseChoice::Named(DESTROY_SERVER.to_owned())], ..options.clone() };
            // a node that cannot say good-bye is destroyed all the same; its failure is told
            let said = self.configure(with_phase, &options, false).await?;
            for node in said.nodes {
                if let NodeResult::Failed { error, .. } = node.result {
                    let message = format!("phase {DESTROY_SERVER} failed: {}", error.message);
                    self.tell(Event::Warning { node: Some(node.node), message });
                }
            }
        }
        for node in &nodes {
            self.tell(Event::Destroying { node: node.name.clone(), group: node.group.clone().unwrap_or_default() });
        }
        let ids: Vec<_> = nodes.iter().map(|node| node.id.clone()).collect();
        self.ask(move |service| service.destroy_nodes(&ids)).await?;
        for node in nodes {
            if let Some(cache) = &self.facts_cache {
                cache.remove(&self.project, &node.id);
            }
            self.tell(Event::Destroyed { node: node.name.clone(), group: node.group.unwrap_or_default() });
            outcome.destroyed.push(node.name);
        }
        Ok(())
    }
}

//! Converge: make the right number of nodes exist, then configure them.

pub(super) mod boundary;
mod create;
pub(super) mod destroy;
mod lease;
mod plan;

pub use plan::{ConvergePlan, PlanError};

use std::collections::BTreeSet;
use std::sync::Arc;

use super::event::Event;
use super::lift::{LiftOptions, Purpose, natural, with_groups};
use super::predicted::PredictedNode;
use super::{Engine, EngineError, GroupSpec, NodeError, NodeOutcome, NodeResult, Outcome};
use crate::model::Node;

impl Engine {
    /// Makes the right number of nodes exist for these groups and configures them, `bootstrap` first where it never ran.
    ///
    /// The plan is shown to `agree` first; `None` if that does not agree, and then nothing was done. Only one converge of a project works on
    /// its nodes at a time, by a lease that the service keeps. It is held from before the plan is made, so that what was agreed to is what is
    /// done, however long the answer takes. A dry run needs no lease.
    pub async fn converge(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&ConvergePlan) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        if options.dry_run {
            let plan = self.plan_converge(groups).await?;
            return if agree(&plan)? { self.dry_converge(&shared, plan, options).await.map(Some) } else { Ok(None) };
        }
        self.leased(async {
            let plan = self.plan_converge(groups).await?;
            if agree(&plan)? { self.converge_leased(&shared, plan, options).await.map(Some) } else { Ok(None) }
        })
        .await
    }

    /// Does something to the project's nodes while nobody else does.
    async fn leased<T>(&self, work: impl Future<Output = Result<T, EngineError>>) -> Result<T, EngineError> {
        let lease = self.take_lease().await?;
        let done = work.await;
        lease.release().await;
        done
    }

    async fn converge_leased(&self, groups: &[Arc<GroupSpec>], plan: ConvergePlan, options: &LiftOptions) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::default();
        self.tell(Event::started("converge", false, plan.names()));
        let (keep, end) = (plan.keep.clone(), plan.end.clone());
        self.destroy(groups, plan.destroy.clone(), options, &mut outcome).await?;
        for group in groups.iter().filter(|group| end.contains(&group.name)) {
            self.at_boundary(group, boundary::DESTROY_GROUP, options, &mut outcome).await?;
        }
        let made = self.create(groups, plan, options, &mut outcome).await?;
        let fresh: BTreeSet<_> = made.iter().map(|node| node.id.clone()).collect();
        let nodes = with_groups(keep.into_iter().chain(made), groups);
        let (configured, silent) = self.configure(nodes, options, Purpose::Converge { fresh }).await?;
        outcome.nodes.extend(configured.nodes);
        self.destroy_silent(silent, &mut outcome).await?;
        outcome.nodes.sort_by_key(|node| natural(&node.node));
        outcome.cancelled = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Shows what a converge would do: nodes, and each node's configuration. New ones are planned against a predicted fresh image.
    async fn dry_converge(&self, groups: &[Arc<GroupSpec>], plan: ConvergePlan, options: &LiftOptions) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::default();
        self.tell(Event::started("converge", true, plan.names()));
        let mut predicted = Vec::new();
        for (group, name) in &plan.create {
            let choice = plan.choices.get(group);
            if let Some(Err(error)) = choice {
                self.tell(Event::NotCreated {
                    node: name.clone(),
                    group: group.clone(),
                    error: crate::plugin::PluginError::from(error.clone()).to_string(),
                });
                outcome.nodes.push(not_created(name, group, &error.clone().into()));
                continue;
            }
            let choice = choice.and_then(|choice| choice.as_ref().ok());
            self.tell(Event::creating(name, group, choice));
            outcome.created.push(name.clone());
            predicted.extend(PredictedNode::of(name, group, choice));
        }
        for node in &plan.start {
            let group = node.group.clone().unwrap_or_default();
            self.tell(Event::creating(&node.name, &group, None));
            outcome.created.push(node.name.clone());
        }
        for node in plan.destroy {
            self.tell(Event::Destroying { node: node.name.clone(), group: node.group.unwrap_or_default() });
            outcome.destroyed.push(node.name);
        }
        let nodes = with_groups(plan.keep, groups);
        let (configured, _) =
            self.configure(nodes, options, Purpose::DryConverge { predicted: PredictedNode::with_groups(predicted, groups) }).await?;
        let created: BTreeSet<_> = outcome.created.iter().cloned().collect();
        outcome.nodes.extend(configured.nodes.into_iter().filter(|node| !created.contains(&node.node)));
        outcome.nodes.sort_by_key(|node| natural(&node.node));
        outcome.cancelled = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Destroys all nodes of the project at the service, and what the service keeps besides them. The nodes are shown to `agree` first; `None`
    /// if that does not agree.
    pub async fn down(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&[Node]) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let outcome = self.leased(async {
            let nodes = self.nodes().await?;
            if agree(&nodes)? { self.down_leased(&groups, nodes, options).await.map(Some) } else { Ok(None) }
        });
        let outcome = outcome.await?;
        if outcome.as_ref().is_some_and(|outcome| !outcome.cancelled) {
            self.ask(|service| service.clean_up()).await?;
        }
        Ok(outcome)
    }

    async fn down_leased(&self, groups: &[Arc<GroupSpec>], nodes: Vec<Node>, options: &LiftOptions) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::default();
        self.tell(Event::started("down", false, nodes.iter().map(|node| node.name.clone())));
        let ended: BTreeSet<_> = nodes.iter().filter_map(|node| node.group.clone()).collect();
        self.destroy(groups, nodes, options, &mut outcome).await?;
        for group in groups.iter().filter(|group| ended.contains(&group.name)) {
            self.at_boundary(group, boundary::DESTROY_GROUP, options, &mut outcome).await?;
        }
        outcome.cancelled = self.cancel.is_cancelled();
        Ok(outcome)
    }
}

fn not_created(name: &str, group: &str, error: &crate::plugin::PluginError) -> NodeOutcome {
    let error = NodeError::new(format!("could not be created: {error}"));
    NodeOutcome { node: name.to_owned(), group: group.to_owned(), drifted: 0, result: NodeResult::Failed { changes: 0, error } }
}

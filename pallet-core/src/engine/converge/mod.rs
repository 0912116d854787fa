//! Converge: make the right number of nodes exist, then configure them.

pub(super) mod boundary;
mod create;
pub(super) mod destroy;
mod lease;
mod plan;

pub use plan::{ConvergePlan, PlanError};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::considered::Member;
use super::event::Event;
use super::lift::{LiftOptions, Purpose, natural, with_groups};
use super::predicted::PredictedNode;
use super::system::System;
use super::{Engine, EngineError, GroupSpec, NodeError, NodeOutcome, NodeResult, Outcome};
use crate::model::Node;
use crate::plugin::PluginError;

impl Engine {
    /// Makes the right number of nodes exist for these groups and configures them, `bootstrap`
    /// first where it never ran.
    ///
    /// The plan is shown to `agree` first, which may have nodes of no declared group removed;
    /// `None` if it does not agree, and then nothing was done. Only one converge of a project works
    /// on its nodes at a time, by a lease that the service keeps. It is held from before the plan
    /// is made, so that what was agreed to is what is done, however long the answer takes. A dry
    /// run needs no lease.
    pub async fn converge(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&mut ConvergePlan) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        self.check_phases(groups, &options.phases)?;
        if options.dry_run {
            let mut plan = self.plan_converge(groups).await?;
            return if agree(&mut plan)? {
                self.dry_converge(&shared, plan, options).await.map(Some)
            } else {
                Ok(None)
            };
        }
        self.leased(async {
            let mut plan = self.plan_converge(groups).await?;
            self.tell_permanent(&plan.permanent);
            if !agree(&mut plan)? {
                return Ok(None);
            }
            self.in_time(self.converge_leased(&shared, plan, options)).await.map(Some)
        })
        .await
    }

    /// Does something to the project's nodes while nobody else does.
    async fn leased<T>(
        &self,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let lease = self.take_lease().await?;
        let done = work.await;
        lease.release().await;
        done
    }

    async fn converge_leased(
        &self,
        groups: &[Arc<GroupSpec>],
        mut plan: ConvergePlan,
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::default();
        self.tell(Event::started("converge", false, plan.names()));
        self.tell_undeclared(&plan.undeclared);
        let keep = plan.keep.clone();
        let others = std::mem::take(&mut plan.others);
        // what stays is known to what goes
        let staying: Vec<_> =
            others.iter().cloned().chain(with_groups(keep.iter().cloned(), groups)).collect();
        self.keep_permanent(&plan.permanent, &mut outcome);
        self.destroy(groups, plan.destroy.clone(), &staying, options, &mut outcome).await?;
        let ended = plan.end.clone();
        self.end_groups(groups, &ended, &others, options, &mut outcome).await?;
        let made = self.create(groups, plan, &others, options, &mut outcome).await?;
        let fresh: BTreeSet<_> = made.iter().map(|node| node.id.clone()).collect();
        let nodes = with_groups(keep.into_iter().chain(made), groups);
        let (configured, silent) =
            self.configure(nodes, others, options, Purpose::Converge { fresh }).await?;
        outcome.nodes.extend(configured.nodes);
        self.destroy_silent(silent, &mut outcome).await;
        outcome.nodes.sort_by_cached_key(|node| natural(&node.node));
        outcome.cancelled = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Runs `destroy-group` of the groups that were to lose their last node, and have.
    async fn end_groups(
        &self,
        groups: &[Arc<GroupSpec>],
        ended: &BTreeSet<String>,
        others: &[Member],
        options: &LiftOptions,
        outcome: &mut Outcome,
    ) -> Result<(), EngineError> {
        let failed: BTreeSet<String> =
            outcome.nodes.iter().map(|node| node.group.clone()).collect();
        for group in groups
            .iter()
            .filter(|group| ended.contains(&group.name) && !failed.contains(&group.name))
        {
            self.at_boundary(group, boundary::DESTROY_GROUP, others, options, outcome).await?;
        }
        Ok(())
    }

    /// Shows what a converge would do: nodes, and each node's configuration. New ones are planned
    /// against a predicted fresh image.
    async fn dry_converge(
        &self,
        groups: &[Arc<GroupSpec>],
        mut plan: ConvergePlan,
        options: &LiftOptions,
    ) -> Result<Outcome, EngineError> {
        let mut outcome = Outcome::default();
        self.tell(Event::started("converge", true, plan.names()));
        self.tell_undeclared(&plan.undeclared);
        self.tell_permanent(&plan.permanent);
        self.keep_permanent(&plan.permanent, &mut outcome);
        let by_name: BTreeMap<&str, &Arc<GroupSpec>> =
            groups.iter().map(|group| (group.name.as_str(), group)).collect();
        let mut guesses: BTreeMap<&str, System> = BTreeMap::new();
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
            let mut node = PredictedNode::of(name, group, choice);
            if let (None, Some(spec)) = (&node, by_name.get(group.as_str())) {
                if !guesses.contains_key(group.as_str()) {
                    let system = self.system_of(spec, None).await;
                    let message = format!(
                        "what system new nodes of group {group} will have is not known; they are \
                         planned as {}: {}",
                        system.os, system.reason
                    );
                    self.tell(Event::Warning { node: None, message });
                    guesses.insert(group, system);
                }
                node = guesses.get(group.as_str()).map(|system| {
                    PredictedNode::with(name, group, system.os.clone(), system.hardware.as_ref())
                });
            }
            predicted.extend(node);
        }
        for node in &plan.start {
            let group = node.group.clone().unwrap_or_default();
            self.tell(Event::creating(&node.name, &group, None));
            outcome.created.push(node.name.clone());
        }
        for node in std::mem::take(&mut plan.destroy) {
            self.tell(Event::Destroying {
                node: node.name.clone(),
                group: node.group.unwrap_or_default(),
            });
            outcome.destroyed.push(node.name);
        }
        // nodes that would be started cannot be asked, and are there all the same
        let others = plan.others.into_iter().chain(with_groups(plan.start, groups)).collect();
        let nodes = with_groups(plan.keep, groups);
        let predicted = PredictedNode::with_groups(predicted, groups);
        let (configured, _) =
            self.configure(nodes, others, options, Purpose::DryConverge { predicted }).await?;
        outcome.nodes.extend(configured.nodes);
        outcome.nodes.sort_by_cached_key(|node| natural(&node.node));
        outcome.cancelled = self.cancel.is_cancelled();
        Ok(outcome)
    }

    /// Destroys all nodes of the project at the service, and what the service keeps besides them.
    /// The nodes are shown to `agree` first; `None` if that does not agree. What cannot be
    /// destroyed stands in the outcome, and keeps nothing else from being destroyed.
    pub async fn down(
        &self,
        groups: &[GroupSpec],
        options: &LiftOptions,
        agree: impl FnOnce(&[Node]) -> Result<bool, EngineError>,
    ) -> Result<Option<Outcome>, EngineError> {
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let outcome = self.leased(async {
            let (permanent, nodes): (Vec<_>, Vec<_>) =
                self.nodes().await?.into_iter().partition(|node| node.permanent);
            self.tell_permanent(&permanent);
            if agree(&nodes)? {
                self.down_leased(&groups, nodes, permanent, options).await.map(Some)
            } else {
                Ok(None)
            }
        });
        let (mut outcome, left) = match outcome.await? {
            Some(done) => done,
            None => return Ok(None),
        };
        // what the service keeps besides is of use as long as a node is left
        if !outcome.cancelled
            && left == 0
            && let Err(error) = self.ask(|service| service.clean_up()).await
        {
            let message = format!(
                "what the service keeps besides nodes could not be removed: {}",
                PluginError::from(error)
            );
            self.tell(Event::Warning { node: None, message: message.clone() });
            outcome.errors.push(self.vault.redact(&message).into_owned());
        }
        Ok(Some(outcome))
    }

    /// Also gives how many nodes are left that should not be.
    async fn down_leased(
        &self,
        groups: &[Arc<GroupSpec>],
        nodes: Vec<Node>,
        permanent: Vec<Node>,
        options: &LiftOptions,
    ) -> Result<(Outcome, usize), EngineError> {
        let mut outcome = Outcome::default();
        let names = nodes.iter().chain(&permanent).map(|node| node.name.clone());
        self.tell(Event::started("down", false, names));
        self.keep_permanent(&permanent, &mut outcome);
        let ended: BTreeSet<_> = nodes.iter().filter_map(|node| node.group.clone()).collect();
        let (wanted, others) = (nodes.len(), with_groups(permanent, groups));
        self.destroy(groups, nodes, &others, options, &mut outcome).await?;
        let left = wanted - outcome.destroyed.len();
        self.end_groups(groups, &ended, &others, options, &mut outcome).await?;
        outcome.nodes.sort_by_cached_key(|node| natural(&node.node));
        outcome.cancelled = self.cancel.is_cancelled();
        Ok((outcome, left))
    }
}

fn not_created(name: &str, group: &str, error: &crate::plugin::PluginError) -> NodeOutcome {
    let error = NodeError::new(format!("could not be created: {error}"));
    NodeOutcome {
        node: name.to_owned(),
        group: group.to_owned(),
        drifted: 0,
        result: NodeResult::Failed { changes: 0, error },
    }
}

#[cfg(test)]
mod tests;

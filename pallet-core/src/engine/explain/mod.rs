//! Explain: what a lift would ask and do, action by action, and why. Nothing is written anywhere.

mod explanation;
mod observed;
mod phase;

pub use explanation::{
    Condition, ExplainedAction, ExplainedPhase, ExplainedUpload, Explanation, Observed,
};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::considered::Division;
use super::event::Event;
use super::lift::{LiftOptions, PhaseChoice, Purpose, Run};
use super::predicted::PredictedNode;
use super::request::Showing;
use super::select::find_named;
use super::{Engine, EngineError, GroupSpec};
use crate::model::Os;

/// What to explain.
#[derive(Debug, Clone, Default)]
pub struct ExplainOptions {
    /// The phases, in order; none: of a node that is there what a lift runs, of one that is not
    /// what a converge would.
    pub phases: Vec<PhaseChoice>,
    /// The system of nodes that are not there; `None`: what their node-spec means at the service.
    pub os: Option<Os>,
    /// The names of the groups to explain; none: all. Functions see the nodes of the others too.
    pub groups: Vec<String>,
    /// The names of nodes of the groups, which are asked as a dry run asks them; none: no node is
    /// asked, and each group's first is explained as a converge would make it.
    pub nodes: Vec<String>,
}

impl Engine {
    /// Explains what each action of these groups asks and does. The functions see the nodes of all
    /// `groups`, whichever are explained.
    ///
    /// A node that cannot be asked, or a function that fails, is an error in its own explanation.
    pub async fn explain(
        &self,
        groups: &[GroupSpec],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        let events = self.events.clone();
        let warnings = Arc::new(move |event| {
            if let Event::Warning { .. } | Event::Message { .. } = event {
                events(event);
            }
        });
        let engine = Engine { events: warnings, ..self.clone() };
        self.check_phases(groups, &options.phases)?;
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        if options.nodes.is_empty() {
            engine.explain_groups(&groups, options).await
        } else {
            engine.explain_nodes(&groups, options).await
        }
    }

    /// The same of groups and nodes by their names, each in its turn; no names: all groups. Nodes
    /// are explained with their groups, as a lift of those sees them.
    pub async fn explain_named(
        &self,
        groups: &[GroupSpec],
        names: &[String],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        if names.is_empty() {
            return self.explain(groups, options).await;
        }
        let declared = self.declared.clone().unwrap_or_else(|| groups.to_vec());
        let engine = Engine { declared: Some(declared), ..self.clone() };
        let (own, others): (Vec<_>, Vec<_>) =
            names.iter().cloned().partition(|name| groups.iter().any(|group| group.name == *name));
        let mut explanations = Vec::new();
        if !others.is_empty() {
            if let (Some(os), [node, ..]) = (&options.os, others.as_slice()) {
                let message = format!(
                    "node {node} is asked what it is, so {os} cannot be chosen \
                    for it; name its group instead"
                );
                return Err(EngineError::Refused(message));
            }
            let nodes = self.nodes().await?;
            let known: Vec<_> = groups.iter().map(|group| group.name.as_str()).collect();
            let nodes = find_named(&nodes, &others, "group or node", &known)?;
            for group in groups {
                let names = nodes
                    .iter()
                    .filter(|node| node.group.as_ref() == Some(&group.name))
                    .map(|node| node.name.clone());
                let options = ExplainOptions { nodes: names.collect(), ..options.clone() };
                if !options.nodes.is_empty() {
                    explanations
                        .extend(engine.explain(std::slice::from_ref(group), &options).await?);
                }
            }
            if let Some(node) = nodes.iter().find(|node| {
                !explanations.iter().any(|explained: &Explanation| explained.node == node.name)
            }) {
                let group = node.group.as_deref().unwrap_or("none");
                return Err(EngineError::Refused(format!(
                    "node {} is of group {group}, which the \
                    project does not declare",
                    node.name
                )));
            }
        }
        if !own.is_empty() {
            explanations.extend(
                engine.explain(groups, &ExplainOptions { groups: own, ..options.clone() }).await?,
            );
        }
        let place = |explained: &Explanation| {
            names.iter().position(|name| *name == explained.node || *name == explained.group)
        };
        explanations.sort_by_key(place);
        Ok(explanations)
    }

    /// What nodes that are there would be asked, and what would be done to them.
    async fn explain_nodes(
        &self,
        groups: &[Arc<GroupSpec>],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        let Division { own, others, .. } = self.divide(self.nodes().await?, groups);
        let there: Vec<_> = own.iter().map(|(node, _)| node.clone()).collect();
        let wanted = find_named(&there, &options.nodes, "node", &[])?;
        let ids: BTreeSet<_> = wanted.into_iter().map(|node| &node.id).collect();
        let (own, left): (Vec<_>, Vec<_>) =
            own.into_iter().partition(|(node, _)| ids.contains(&node.id));
        // the others are known, and not asked
        let others = others.into_iter().chain(left).collect();
        let mut run = Run::new(self, own, others, &lift_options(options), Purpose::Lift);
        run.showing = Showing::Beside;
        run.nodes.iter_mut().for_each(|node| node.explained = Some(Vec::new()));
        run.explain(|_| String::new()).await
    }

    /// What the first node of each group would be, and what would be done to it.
    async fn explain_groups(
        &self,
        groups: &[Arc<GroupSpec>],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        let (mut predicted, mut reasons) = (Vec::new(), BTreeMap::new());
        self.check_counts(&groups.iter().map(|group| group.as_ref().clone()).collect::<Vec<_>>())?;
        for group in groups {
            let system = self.system_of(group, options.os.as_ref()).await;
            reasons.insert(group.name.clone(), system.reason);
            let names = (1..=group.count.unwrap_or(1).max(1))
                .map(|number| format!("{}-{number}", group.name));
            predicted.extend(names.map(|name| {
                (
                    PredictedNode::with(
                        &name,
                        &group.name,
                        system.os.clone(),
                        system.hardware.as_ref(),
                    ),
                    group.clone(),
                )
            }));
        }
        let purpose = Purpose::Explain { predicted, bootstrap: options.phases.is_empty() };
        let mut run = Run::new(self, Vec::new(), Vec::new(), &lift_options(options), purpose);
        run.showing = Showing::Instead;
        for node in &mut run.nodes {
            let chosen = options.groups.is_empty() || options.groups.contains(&node.group.name);
            node.explained =
                (chosen && node.node.name == format!("{}-1", node.group.name)).then(Vec::new);
        }
        run.explain(|group| reasons.get(group).cloned().unwrap_or_default()).await
    }
}

fn lift_options(options: &ExplainOptions) -> LiftOptions {
    LiftOptions { phases: options.phases.clone(), dry_run: true, ..LiftOptions::default() }
}

impl Run {
    /// Explains the nodes that are to be explained; `reason` tells why nodes of a group are taken
    /// to be of their system.
    async fn explain(
        mut self,
        reason: impl Fn(&str) -> String,
    ) -> Result<Vec<Explanation>, EngineError> {
        self.warn_of_undefined_phases();
        self.prepare().await?;
        self.each(
            |node| node.explained.is_none(),
            |node, engine| Box::pin(async move { node.leave(&engine).await }),
        )
        .await?;
        self.nodes.retain(|node| node.explained.is_some());
        for round in 0..self.rounds() {
            self.round(round).await?;
        }
        self.each(|_| true, |node, engine| Box::pin(async move { node.leave(&engine).await }))
            .await?;
        let vault = self.engine.vault.clone();
        let explanations = self.nodes.into_iter().map(|mut node| Explanation {
            phases: node.explained.take().unwrap_or_default(),
            error: node.error().cloned().map(|mut error| {
                error.redact(&vault);
                error
            }),
            os: node.facts.as_ref().map(|facts| facts.os.clone()),
            os_reason: reason(&node.group.name),
            predicted: node.predicted,
            group: node.group.name.clone(),
            node: node.node.name,
        });
        Ok(explanations.collect())
    }
}

#[cfg(test)]
mod tests;

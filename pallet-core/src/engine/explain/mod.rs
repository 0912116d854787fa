//! Explain: what a lift would ask and do, action by action, and why. It writes nothing anywhere.

mod explanation;
mod observed;
mod phase;

pub use explanation::{
    Condition, ExplainedAction, ExplainedPhase, ExplainedUpload, Explanation, Observed,
};

use std::collections::BTreeMap;
use std::sync::Arc;

use self::phase::explain_phase;
use super::declare::Placeholders;
use super::operation::{
    Division, Event, Member, Operation, Purpose, Record, Sink, check_counts, in_parallel,
};
use super::predicted::PredictedNode;
use super::{
    Engine, EngineConfig, EngineError, GroupSpec, LiftOptions, Pattern, PhaseChoice, Selection,
};
use crate::model::Os;

/// What to explain.
#[derive(Debug, Clone, Default)]
pub struct ExplainOptions {
    /// The phases, in order. If empty: the phases of a lift for an existing node, and those of a
    /// converge for a node that does not exist.
    pub phases: Vec<PhaseChoice>,
    /// The system of nodes that do not exist; `None`: the one that their node-spec selects at the
    /// service.
    pub os: Option<Os>,
    /// The names of the groups to explain; if empty, all. Functions see the nodes of the others
    /// too.
    pub groups: Vec<String>,
    /// The names of nodes in these groups, to be asked as in a dry run. If empty, no node is asked,
    /// and the first node of each group is explained as a converge would create it.
    pub nodes: Vec<String>,
}

impl Engine {
    /// Explains what each action of these groups asks and does. The functions see the nodes of all
    /// `groups`, whichever of them are explained.
    ///
    /// If a node cannot be asked or a function fails, the error is in that node's explanation.
    pub async fn explain(
        &self,
        groups: &[GroupSpec],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        let sinks = self.sinks.clone();
        let warnings = move |record: &Record| {
            if let Event::Warning { .. } | Event::Message { .. } = record.event {
                sinks.iter().for_each(|sink| sink.receive(record));
            }
        };
        let sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(warnings)];
        let engine = self.with(EngineConfig { sinks, ..self.config().clone() });
        self.check_phases(groups, &options.phases)?;
        let groups: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        if options.nodes.is_empty() {
            engine.explain_groups(&groups, options).await
        } else {
            engine.explain_nodes(&groups, options).await
        }
    }

    /// Explains what a selection names, in the given order; if it is empty, all groups. A group is
    /// explained as its first node would be created. All else are nodes, which are explained
    /// together with their groups, as a lift sees them.
    pub async fn explain_selected(
        &self,
        groups: &[GroupSpec],
        selection: &Selection,
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        if selection.is_all() {
            return self.explain(groups, options).await;
        }
        let declared = self.declared.clone().unwrap_or_else(|| groups.to_vec());
        let engine = self.with(EngineConfig { declared: Some(declared), ..self.config().clone() });
        let only_words = selection.with_words(Vec::new()).is_all();
        let is_group = |word: &Pattern| {
            let name = word.name().filter(|_| only_words && !word.excludes());
            groups.iter().any(|group| name == Some(&*group.name))
        };
        let (mut own, others): (Vec<_>, Vec<_>) =
            selection.words.iter().cloned().partition(is_group);
        // what is excluded is excluded from nodes
        let nodes = if others.iter().any(Pattern::excludes) || !only_words {
            own.clear();
            selection.clone()
        } else {
            selection.with_words(others)
        };
        let mut explanations = Vec::new();
        if !nodes.is_all() {
            if let (Some(os), [node, ..]) = (&options.os, nodes.words.as_slice()) {
                let message = format!(
                    "node {node} reports its own system, so {os} cannot be chosen for it; name \
                     its group instead"
                );
                return Err(EngineError::Refused(message));
            }
            // what is explained is the answer, and nothing else
            let quiet = EngineConfig { sinks: Vec::new(), ..self.config().clone() };
            let nodes = self.with(quiet).select(groups, &nodes).await?;
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
                    "node {} is of group {group}, which the project does not declare",
                    node.name
                )));
            }
        }
        if !own.is_empty() {
            let own = own.iter().map(ToString::to_string).collect();
            explanations.extend(
                engine.explain(groups, &ExplainOptions { groups: own, ..options.clone() }).await?,
            );
        }
        let place = |explained: &Explanation| {
            let is =
                |word: &Pattern| word.matches(&explained.node) || word.matches(&explained.group);
            selection.words.iter().position(is)
        };
        explanations.sort_by_key(place);
        Ok(explanations)
    }

    /// Explains existing nodes.
    async fn explain_nodes(
        &self,
        groups: &[Arc<GroupSpec>],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        let mut division = self.divide(self.nodes().await?, groups);
        // functions see the other nodes, but those are not asked
        let words = options.nodes.iter().map(Pattern::named).collect();
        let named = Selection { words, ..Selection::default() };
        division.keep(self, &named, &[]).await?;
        let Division { own, others, .. } = division;
        let operation = Operation::new(self, own, others, &lift_options(options), Purpose::Lift)
            .with_placeholders(Placeholders::Keep);
        explain(operation, |_| true, |_| String::new()).await
    }

    /// Explains the first node of each group, as a converge would create it.
    async fn explain_groups(
        &self,
        groups: &[Arc<GroupSpec>],
        options: &ExplainOptions,
    ) -> Result<Vec<Explanation>, EngineError> {
        let (mut predicted, mut reasons) = (Vec::new(), BTreeMap::new());
        check_counts(groups.iter().map(Arc::as_ref), self.max_nodes)?;
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
        let operation =
            Operation::new(self, Vec::new(), Vec::new(), &lift_options(options), purpose)
                .with_placeholders(Placeholders::UseInstead);
        let chosen = |member: &Member| {
            let group = &member.group.name;
            let chosen = options.groups.is_empty() || options.groups.contains(group);
            chosen && member.name() == format!("{group}-1")
        };
        let reason = |group: &str| reasons.get(group).cloned().unwrap_or_default();
        explain(operation, chosen, reason).await
    }
}

fn lift_options(options: &ExplainOptions) -> LiftOptions {
    LiftOptions { phases: options.phases.clone(), dry_run: true, ..LiftOptions::default() }
}

/// Explains the nodes that are `chosen`; `reason` says why a group's nodes are assumed to have
/// their system.
async fn explain(
    mut operation: Operation,
    chosen: impl Fn(&Member) -> bool,
    reason: impl Fn(&str) -> String,
) -> Result<Vec<Explanation>, EngineError> {
    operation.warn_of_undefined_phases();
    operation.prepare().await?;
    let engine = operation.engine.clone();
    let members = operation.members.into_iter().map(|member| (chosen(&member), member));
    let explained = in_parallel(&engine, members, |engine, (chosen, mut member)| async move {
        let mut phases = Vec::new();
        if chosen && !member.has_ended() {
            for position in 0..member.planner.declared().len() {
                phases.extend(explain_phase(&engine, &mut member, position).await);
                if member.has_ended() {
                    break;
                }
            }
        }
        member.session.leave(&engine).await;
        chosen.then_some((member, phases))
    });
    let explained = explained.await?.into_iter().flatten();
    let explanations = explained.map(|(member, phases)| Explanation {
        phases,
        error: member.error().cloned().map(|mut error| {
            error.redact(&engine.vault);
            error
        }),
        os: member.planner.facts().map(|facts| facts.os.clone()),
        os_reason: reason(&member.group.name),
        predicted: member.planner.is_predicted(),
        group: member.group.name.clone(),
        node: member.name().to_owned(),
    });
    Ok(explanations.collect())
}

#[cfg(test)]
mod tests;

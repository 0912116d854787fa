//! What an operation does before its phases: reach the nodes, learn what they are, declare, and ask
//! what was declared wants to know.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::considered::subjects;
use super::declare::declare;
use super::event::Event;
use super::lift::{Mode, Run};
use super::node_run::NodeRun;
use super::{EngineError, NodeError};
use crate::model::NodeStatus;
use crate::plugin::operation::Log;

impl Run {
    /// Brings all nodes to where their phases can be planned: facts are known, actions declared,
    /// and what they want to know was asked.
    pub(super) async fn prepare(&mut self) -> Result<(), EngineError> {
        for node in &mut self.nodes {
            match node.node.status {
                NodeStatus::Stopped => node.fail(NodeError::new(
                    "the node is stopped; converge \
                    starts it",
                )),
                NodeStatus::Starting => node.fail(NodeError::new(
                    "the node is still starting; \
                    converge waits for it",
                )),
                NodeStatus::Running | NodeStatus::Failed | NodeStatus::Unknown => {}
            }
        }
        if self.mode == Mode::Apply {
            self.each(
                |node| node.fresh,
                |node, engine| Box::pin(async move { node.answer(&engine).await }),
            )
            .await?;
        }
        self.learn_facts().await?;
        let mut said = self.declare().await?;
        let remembered: Vec<_> = self.nodes.iter().map(|node| node.facts.clone()).collect();
        self.observe(|node| !node.confirmed || node.wants_more()).await?;
        // a node that is not what it was remembered to be: everything is declared anew, since
        // settings may differ everywhere
        let surprised = self.nodes.iter().zip(&remembered).any(|(node, remembered)| {
            match (&node.facts, remembered) {
                (Some(now), Some(then)) => {
                    now.os != then.os || now.bootstrapped != then.bootstrapped
                }
                _ => false,
            }
        });
        if surprised {
            said = self.declare().await?;
            self.observe(NodeRun::wants_more).await?;
        }
        self.tell_what_was_said(said);
        self.warn_of_unknown_settings();
        self.warn_of_unset_flags();
        Ok(())
    }

    /// Nothing can be declared for a node of which nothing is known. One of each group is asked
    /// while the others connect: what it is, they mostly are too. That is a guess, as what is
    /// remembered is one.
    async fn learn_facts(&mut self) -> Result<(), EngineError> {
        let unknown = |node: &NodeRun| node.facts.is_none() && !node.failed() && !node.predicted;
        loop {
            let mut first: BTreeMap<String, String> = BTreeMap::new();
            for node in self.nodes.iter().filter(|node| unknown(node)) {
                first.entry(node.group.name.clone()).or_insert_with(|| node.node.id.clone());
            }
            if first.is_empty() {
                return Ok(());
            }
            let asked: Arc<BTreeSet<_>> = Arc::new(first.into_values().collect());
            self.each(unknown, move |node, engine| {
                let asked = asked.clone();
                Box::pin(async move {
                    if asked.contains(&node.node.id) {
                        node.observe(&engine).await
                    } else {
                        node.reach(&engine).await
                    }
                })
            })
            .await?;
            let known = |node: &NodeRun| {
                Some((node.group.name.clone(), node.facts.clone().filter(|_| node.confirmed)?))
            };
            let known: BTreeMap<_, _> = self.nodes.iter().filter_map(known).collect();
            for node in self.nodes.iter_mut().filter(|node| unknown(node)) {
                if let Some(facts) = known.get(&node.group.name) {
                    node.guess(facts);
                }
            }
        }
    }

    /// Asks the nodes that are wanted what their actions want to know.
    async fn observe(&mut self, wanted: impl Fn(&NodeRun) -> bool) -> Result<(), EngineError> {
        self.each(
            |node| !node.predicted && wanted(node),
            |node, engine| Box::pin(async move { node.observe(&engine).await }),
        )
        .await
    }

    /// Runs all phase functions and hands each node what was declared for it. Gives what the
    /// functions said, each with the name of its node.
    async fn declare(&mut self) -> Result<Vec<(String, Log)>, EngineError> {
        let (positions, subjects) = subjects(self);
        let engine = self.engine.clone();
        let showing = self.showing;
        let work = tokio::task::spawn_blocking(move || {
            let names: Vec<_> =
                subjects.iter().map(|subject| subject.target.name.clone()).collect();
            let (declarations, said) = declare(&engine, subjects, showing);
            (names, declarations, said)
        });
        let (names, declarations, said) =
            work.await.map_err(|error| EngineError::Task(error.to_string()))?;
        self.unknown_settings.clear();
        for ((position, name), declaration) in positions.into_iter().zip(names).zip(declarations) {
            match (position, declaration) {
                (Some(position), Ok(declared)) => self.nodes[position].take(declared),
                (Some(position), Err(error)) => self.nodes[position].fail(error),
                (None, Ok(_)) => {}
                (None, Err(error)) => {
                    self.unknown_settings.entry(error.message).or_default().push(name)
                }
            }
        }
        Ok(said)
    }

    /// What the functions of this operation could not learn of nodes that it is not for.
    fn warn_of_unknown_settings(&self) {
        for (why, nodes) in &self.unknown_settings {
            let others = nodes.len().saturating_sub(1);
            let others = if others == 0 {
                String::new()
            } else {
                format!(
                    " (and those of {others} \
                more)"
                )
            };
            let message = format!("its settings{others} are not known to this operation: {why}");
            self.engine.tell(Event::Warning { node: nodes.first().cloned(), message });
        }
    }

    fn tell_what_was_said(&self, said: Vec<(String, Log)>) {
        for (node, log) in said {
            let (node, message) = (Some(node), log.message);
            self.engine.tell(match log.level.as_str() {
                "error" | "warning" => Event::Warning { node, message },
                level => Event::Message { node, level: level.to_owned(), message },
            });
        }
    }

    /// An action that waits for a flag which no action sets is probably misspelt.
    fn warn_of_unset_flags(&self) {
        let options = || {
            self.nodes
                .iter()
                .flat_map(|node| &node.declared)
                .flat_map(|(_, declared)| declared)
                .map(|declared| &declared.options)
        };
        let set: BTreeSet<_> =
            options().filter_map(|options| options.flag_on_change.as_ref()).collect();
        let looked_at: BTreeSet<_> =
            options().filter_map(|options| options.if_flag.as_ref()).collect();
        for flag in looked_at.difference(&set) {
            let message = format!(
                "an action waits for the flag {flag}, which no action of these \
                phases sets"
            );
            self.engine.tell(Event::Warning { node: None, message });
        }
    }
}

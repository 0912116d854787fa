//! Asks nodes for all of their facts, without changing anything.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::declare::target;
use super::node::{AskError, Planner, Session};
use super::operation::{Event, in_parallel};
use super::{Engine, EngineError, GroupSpec, NodeError, Only, Selection, compact};
use crate::model::{Detail, Details, Node, Target};

/// How many nodes are asked in parallel.
const PARALLEL: usize = 50;

/// The facts of one node.
#[derive(Debug, Clone)]
pub struct NodeFacts {
    /// The node.
    pub node: Node,
    /// What is known of it, as functions see it, or why it cannot be asked.
    pub known: Result<(Target, Details), NodeError>,
}

impl Engine {
    /// All facts of the selected nodes of these groups.
    pub async fn facts(
        &self,
        groups: &[GroupSpec],
        selection: &Selection,
    ) -> Result<Vec<NodeFacts>, EngineError> {
        let engine = self.with_silent();
        let nodes = engine.select(groups, selection).await?;
        engine.facts_of(groups, nodes).await
    }

    pub(super) async fn facts_of(
        &self,
        groups: &[GroupSpec],
        nodes: Vec<Node>,
    ) -> Result<Vec<NodeFacts>, EngineError> {
        let shared: Vec<_> = groups.iter().cloned().map(Arc::new).collect();
        let engine = Arc::new(self.limited(nodes.len(), PARALLEL));
        in_parallel(&engine, nodes, |engine, node| {
            let group = shared.iter().find(|group| group.owns(&node)).cloned();
            async move { engine.facts_of_node(group, node).await }
        })
        .await
    }

    async fn facts_of_node(&self, group: Option<Arc<GroupSpec>>, node: Node) -> NodeFacts {
        let group = group.map_or_else(|| GroupSpec::undeclared(&node), |group| (*group).clone());
        let mut session = Session::alone(self, node.clone());
        let known = match session.cannot_be_asked() {
            Some(why) => Err(NodeError::new(why)),
            None => self.learn(&mut session, &group).await,
        };
        session.leave(self).await;
        let known = known.map_err(|mut error| {
            error.redact(&self.vault);
            error
        });
        NodeFacts { node, known }
    }

    async fn learn(
        &self,
        session: &mut Session,
        group: &GroupSpec,
    ) -> Result<(Target, Details), NodeError> {
        let mut planner = Planner::new(None, group.server.facts.clone(), false, false);
        planner.want_details(BTreeSet::from(Detail::ALL));
        let asked = session.ask(self, &planner.wanted()).await;
        let mut observed = asked.map_err(|error| match error {
            AskError::Transport(error) => NodeError::new(error.to_string()),
            AskError::Answer(error) => error,
        })?;
        planner.complete(&mut observed).map_err(NodeError::new)?;
        let facts = observed.facts;
        if let Some(cache) = &self.facts_cache {
            cache.put(&self.project, &session.node.id, &facts);
        }
        let target = target(&session.node, group, Some(&facts), || facts.os.clone());
        Ok((target, facts.details))
    }

    /// This selection without a condition on facts: the nodes are asked, and those that meet it
    /// are named. So are those that do not answer, unless this needs to know all nodes.
    pub(super) async fn settled(
        &self,
        groups: &[GroupSpec],
        nodes: &[Node],
        selection: &Selection,
    ) -> Result<Selection, EngineError> {
        let Some(matching) = &selection.matching else { return Ok(selection.clone()) };
        let rest = Selection { matching: None, ..selection.clone() };
        let candidates = Selection { sample: None, ..rest.clone() }.choose(nodes, groups)?;
        let candidates = candidates.into_iter().map(|position| nodes[position].clone()).collect();
        let (mut names, mut values) = (BTreeSet::new(), BTreeMap::new());
        let mut silent = Vec::new();
        for NodeFacts { node, known } in self.facts_of(groups, candidates).await? {
            let failed = |why: String| {
                let message = format!("cannot tell whether node {} is meant: {why}", node.name);
                EngineError::Refused(message)
            };
            let (target, details) = match known {
                Ok(known) => known,
                Err(error) => {
                    let why = format!("cannot tell whether it is meant: {}", error.message);
                    if !self.set_silent(&node.id, why.clone()) {
                        silent.push((node.name, error.message));
                    } else if selection.sample.is_some() {
                        // any others will do
                        self.tell(Event::Warning { node: Some(node.name), message: why });
                    } else {
                        names.insert(node.name);
                    }
                    continue;
                }
            };
            let attributes = target.attributes(&details);
            for (path, value) in matching.values(&attributes) {
                *values.entry(path).or_insert_with(BTreeMap::new).entry(value).or_insert(0) += 1;
            }
            if matching.holds(attributes).map_err(failed)? {
                names.insert(node.name);
            }
        }
        if !silent.is_empty() {
            return Err(EngineError::Refused(cannot_tell(&silent)));
        }
        if names.is_empty() && !values.is_empty() {
            let message = format!("no node meets `{}`; {}", matching.text, told(&values));
            return Err(EngineError::Refused(message));
        }
        let what = format!("meets `{}`", matching.text);
        Ok(Selection { only: Some(Only { names, what }), ..rest })
    }
}

/// Which nodes, with their errors, did not tell their facts.
fn cannot_tell(silent: &[(String, String)]) -> String {
    let (name, error) = &silent[0];
    let (nodes, them) = match silent.len() {
        1 => (format!("node {name} is"), "it"),
        count => (format!("{count} nodes are"), "them"),
    };
    let words = compact(silent.iter().map(|(name, _)| name.as_str()));
    let left_out: Vec<_> = words.iter().map(|word| format!("'!{word}'")).collect();
    let left_out = left_out.join(" ");
    format!("cannot tell whether {nodes} meant: {error}; leave {them} out with {left_out}")
}

/// How many values of an attribute are told.
const VALUES: usize = 5;

/// The values of attributes, with the numbers of nodes: `os.family is debian (3), red_hat (1)`.
fn told(values: &BTreeMap<String, BTreeMap<String, usize>>) -> String {
    let one = |(path, values): (&String, &BTreeMap<String, usize>)| {
        let shown = values.iter().take(VALUES).map(|(value, count)| format!("{value} ({count})"));
        let shown: Vec<_> = shown.collect();
        let more = if values.len() > VALUES { ", ..." } else { "" };
        format!("{path} is {}{more}", shown.join(", "))
    };
    values.iter().map(one).collect::<Vec<_>>().join("; ")
}

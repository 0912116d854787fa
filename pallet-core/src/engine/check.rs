//! Check: declares every phase of every group, and finds faults before Pallet touches any node.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::declare::{
    Placeholders, Subject, USUAL_OS, named_os, request_context, run_phase, target,
};
use super::operation::check_counts;
use super::predicted::PredictedNode;
use super::spec::all_phases;
use super::{Engine, EngineError, GroupSpec, NodeError};
use crate::action::{ActionError, Declared, SourceLocation};
use crate::model::{Details, Os};
use crate::observe::NodeState;

/// A fault in the declarations of a group.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// The group.
    pub group: String,
    /// The first of its nodes with this fault.
    pub node: String,
    /// The fault itself, with its phase and its place in the project.
    #[serde(flatten)]
    pub error: NodeError,
}

/// Maximum number of nodes declared per group. Functions do not see more nodes than these either.
const NODES: u32 = 100;

/// A group's predicted nodes, and whether their system is only a guess.
struct Predicted {
    group: Arc<GroupSpec>,
    nodes: Vec<PredictedNode>,
    guessed: bool,
}

impl Engine {
    /// All faults in what these groups declare: functions that fail, and actions that cannot work
    /// on any node. With `ask`, the service is asked which systems it has. No node is asked, and no
    /// secret is looked up.
    pub async fn check(&self, groups: &[GroupSpec], ask: bool) -> Result<Vec<Fault>, EngineError> {
        check_counts(groups.iter(), self.max_nodes)?;
        let mut predicted = Vec::new();
        for group in groups {
            let (os, hardware, guessed) = if ask {
                let system = self.system_of(group, None).await;
                (system.os, system.hardware, system.guessed)
            } else {
                let named = named_os(group.server.node_spec.image.as_ref());
                let guessed = named.is_none();
                (
                    named.unwrap_or_else(|| Os::named(USUAL_OS, std::env::consts::ARCH)),
                    None,
                    guessed,
                )
            };
            let names = (1..=group.count.unwrap_or(1).clamp(1, NODES))
                .map(|number| format!("{}-{number}", group.name));
            let nodes = names
                .map(|name| PredictedNode::with(&name, &group.name, os.clone(), hardware.as_ref()))
                .collect();
            predicted.push(Predicted { group: Arc::new(group.clone()), nodes, guessed });
        }
        let engine = self.clone();
        let work = tokio::task::spawn_blocking(move || faults(&engine, predicted));
        work.await.map_err(|error| EngineError::Task(error.to_string()))
    }
}

/// Declares everything, phase by phase, and plans each action alone, on a node of which only the
/// system is known.
fn faults(engine: &Engine, predicted: Vec<Predicted>) -> Vec<Fault> {
    let mut subjects = Vec::new();
    let mut about = Vec::new();
    for Predicted { group, nodes, guessed } in &predicted {
        for PredictedNode { node, facts } in nodes {
            let target = target(node, group, Some(facts), || facts.os.clone());
            let (phases, details) = (all_phases(group, None), Details::default());
            subjects.push(Subject { target, details, phases, considered: false, reachable: true });
            about.push(*guessed);
        }
    }
    let mut context = request_context(engine, &subjects, Placeholders::UseInstead);
    let refused: Arc<Mutex<Vec<NodeError>>> = Arc::default();
    context.refused = Some(refused.clone());
    let context = Arc::new(context);
    let take = || std::mem::take(&mut *refused.lock().unwrap_or_else(PoisonError::into_inner));
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    let rounds = subjects.iter().map(|subject| subject.phases.len()).max().unwrap_or_default();
    let mut out_of_time = BTreeSet::new();
    for round in 0..rounds {
        for (subject, guessed) in subjects.iter().zip(&about) {
            let Some((name, Some(phase))) = subject.phases.get(round) else { continue };
            let key = (subject.target.group.clone(), name.clone());
            if engine.cancel.is_cancelled() || out_of_time.contains(&key) {
                continue;
            }
            let mut errors = Vec::new();
            match run_phase(&context, &subject.target, name, phase) {
                Ok((declared, _)) => {
                    let state = NodeState::new(subject.target.os.clone());
                    errors.extend(
                        declared
                            .iter()
                            .filter_map(|declared| impossible(declared, &state, *guessed)),
                    );
                }
                Err((error, timed_out)) => {
                    errors.push(error);
                    // it would time out for the other nodes too
                    timed_out.then(|| out_of_time.insert(key));
                }
            }
            for mut error in take().into_iter().chain(errors) {
                error.phase = Some(name.clone());
                error.redact(&engine.vault);
                let place =
                    |source: &SourceLocation| (source.file.clone(), source.line, source.column);
                if known.insert((error.message.clone(), error.source.as_ref().map(place))) {
                    found.push(Fault {
                        group: subject.target.group.clone(),
                        node: subject.target.name.clone(),
                        error,
                    });
                }
            }
        }
    }
    found
}

/// Why an action cannot work on any node of this system. An error that depends on the state of a
/// particular node is not a fault.
fn impossible(declared: &Declared, state: &NodeState, guessed: bool) -> Option<NodeError> {
    let shown = declared.shown.as_ref().and_then(|shown| shown.action.as_ref());
    let error = shown.unwrap_or(&declared.action).plan(&mut state.clone()).err()?;
    match error {
        ActionError::Node { .. } if guessed => None,
        error => Some(NodeError {
            action: Some(declared.label()),
            source: declared.source.clone(),
            ..NodeError::new(error.to_string())
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::action::Package;
    use crate::engine::testing::nowhere;
    use crate::engine::{EngineConfig, ServerSpec};
    use crate::plugin::Request;

    #[tokio::test]
    async fn all_that_is_wrong_is_found_at_once() {
        let configure = |request: &mut Request| -> anyhow::Result<()> {
            let arguments = [
                json!({"path": "etc/relative", "content": ""}),
                json!({"path": "/etc/nothing"}),
                json!({"path": "/etc/missing", "local_file": "no/such"}),
                json!({"path": "/etc/two", "content": "", "template": "no/such"}),
                json!({"path": "/etc/mode", "content": "", "mode": "999"}),
            ];
            for arguments in arguments {
                request
                    .invoke("action", json!({"action": "remote_file", "arguments": arguments}))?;
            }
            request.add(Package::install("nginx"))?;
            Ok(())
        };
        let fails = |request: &mut Request| -> anyhow::Result<()> {
            anyhow::bail!("not on {}", request.target()?.name)
        };
        let engine = Engine::new(EngineConfig {
            directory: "/nonexistent".into(),
            ..EngineConfig::new("test", nowhere())
        });
        let server = ServerSpec::new().phase("configure", configure).phase("restart", fails);
        let groups = [GroupSpec::new("web", Some(2), server).unwrap()];
        let found = engine.check(&groups, true).await.unwrap();
        let lines: Vec<_> = found
            .iter()
            .map(|fault| {
                format!(
                    "{} {}: {}",
                    fault.node,
                    fault.error.phase.as_deref().unwrap(),
                    fault.error.message
                )
            })
            .collect();
        let expected = [
            "web-1 configure: ",
            "no/such",
            "999",
            "etc/relative",
            "exactly one of content",
            "web-1 restart: not on web-1",
            "web-2 restart: not on web-2",
        ];
        for words in expected {
            assert!(lines.iter().any(|line| line.contains(words)), "{words}: {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains("nginx")), "{lines:#?}");
    }
}

//! Runs the phase functions of all nodes, phase by phase, and collects the actions that they
//! declare.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::context::{Placeholders, RequestContext};
use super::request::NodeRequest;
use super::workspace::Directory;
use crate::action::{Declared, order, segments};
use crate::engine::spec::HEALTH;
use crate::engine::templates::Roots;
use crate::engine::{Engine, NodeError, Phase};
use crate::model::{Detail, Details, Target};
use crate::plugin::Request;
use crate::plugin::operation::Log;

/// A node to run phase functions for.
pub(in crate::engine) struct Subject {
    pub(in crate::engine) target: Target,
    /// What else is known of it.
    pub(in crate::engine) details: Details,
    /// The phases to run, in order; `None` if the node's group does not have the phase.
    pub(in crate::engine) phases: Vec<(String, Option<Phase>)>,
    /// The operation does not change this node: only its settings are declared, and messages from
    /// its functions are dropped.
    pub(in crate::engine) considered: bool,
    /// It may be the node of its group that runs what must run only once.
    pub(in crate::engine) reachable: bool,
}

/// The actions that the phase functions of one node declared, by phase, or why one of them failed.
pub(in crate::engine) type Declaration = Result<Vec<(String, Vec<Declared>)>, NodeError>;

/// What the functions of all subjects declared.
pub(in crate::engine) struct Declarations {
    /// The declaration of each subject, in order.
    pub(in crate::engine) of_subjects: Vec<Declaration>,
    /// The functions' messages to the user, each with the name of its node.
    pub(in crate::engine) said: Vec<(String, Log)>,
    /// The IDs of the nodes that run what must run only once; empty if nothing must.
    pub(in crate::engine) first: Vec<String>,
    /// The details that functions wanted to know, by the ID of their node.
    pub(in crate::engine) details: BTreeMap<String, BTreeSet<Detail>>,
    /// The local files that were read, each with a digest of its content.
    pub(in crate::engine) files: BTreeMap<String, String>,
}

/// Runs the functions of all subjects. Every node finishes a phase before the next phase begins, so
/// that a phase sees the settings of earlier ones.
pub(in crate::engine) fn declare(
    engine: &Engine,
    subjects: Vec<Subject>,
    placeholders: Placeholders,
) -> Declarations {
    let context = Arc::new(request_context(engine, &subjects, placeholders));
    let mut results: Vec<Declaration> = subjects.iter().map(|_| Ok(Vec::new())).collect();
    let mut all_said = Vec::new();
    let rounds = subjects.iter().map(|subject| subject.phases.len()).max().unwrap_or_default();
    // a function that timed out for one node would time out for the others too, so it is not run
    // again
    let mut timed_out: BTreeMap<String, String> = BTreeMap::new();
    for round in 0..rounds {
        for (subject, result) in subjects.iter().zip(&mut results) {
            let (Some((name, phase)), Ok(done)) = (subject.phases.get(round), &mut *result) else {
                continue;
            };
            let Some(phase) = phase else {
                done.push((name.clone(), Vec::new()));
                continue;
            };
            let key = format!("{}/{name}", subject.target.group);
            if let Some(message) = timed_out.get(&key) {
                *result =
                    Err(NodeError { phase: Some(name.clone()), ..NodeError::new(message.clone()) });
                continue;
            }
            match run_phase(&context, &subject.target, name, phase) {
                Ok((declared, said)) => {
                    done.push((name.clone(), declared));
                    let said = if subject.considered { Vec::new() } else { said };
                    all_said.extend(said.into_iter().map(|log| (subject.target.name.clone(), log)));
                }
                Err((error, out_of_time)) => {
                    if out_of_time {
                        timed_out.insert(key, error.message.clone());
                    }
                    *result = Err(error);
                }
            }
        }
    }
    let asked_for_first = context.asked_for_first.load(Ordering::Relaxed);
    Declarations {
        of_subjects: results,
        said: all_said,
        first: context.first.values().filter(|_| asked_for_first).cloned().collect(),
        details: context.details_read(),
        files: context.workspace.read_files(),
    }
}

/// The context that the requests of all these subjects share.
pub(in crate::engine) fn request_context(
    engine: &Engine,
    subjects: &[Subject],
    placeholders: Placeholders,
) -> RequestContext {
    let mut first = BTreeMap::new();
    for Subject { target, .. } in subjects.iter().filter(|one| one.reachable) {
        first.entry(target.group.clone()).or_insert_with(|| target.id.clone());
    }
    RequestContext {
        first,
        asked_for_first: AtomicBool::default(),
        registry: engine.registry.clone(),
        actions: engine.actions.clone(),
        workspace: Directory::with(Roots::of(engine.directory.clone()).with(&engine.registry)),
        environment: engine.environment.clone(),
        admin_user: engine.admin_user.clone(),
        targets: subjects.iter().map(|subject| subject.target.clone()).collect(),
        details: subjects
            .iter()
            .map(|subject| (subject.target.id.clone(), subject.details.clone()))
            .collect(),
        details_read: Mutex::default(),
        settings: Mutex::default(),
        cancel: engine.cancel.clone(),
        vault: engine.vault.clone(),
        placeholders,
        watcher: None,
        refused: None,
    }
}

/// Runs the functions of a phase for one node. The flag of an error says whether a function timed
/// out.
pub(in crate::engine) fn run_phase(
    context: &Arc<RequestContext>,
    target: &Target,
    name: &str,
    phase: &Phase,
) -> Result<(Vec<Declared>, Vec<Log>), (NodeError, bool)> {
    let recorder = NodeRequest::new(context.clone(), target.clone(), name);
    let mut request = Request::new(Arc::new(recorder.clone()));
    for function in phase.functions() {
        function.call(&mut request).map_err(|error| {
            let out_of_time = error.timed_out;
            let error = NodeError {
                message: error.message,
                phase: Some(name.to_owned()),
                action: None,
                source: error.source_location,
                detail: error.rendered,
            };
            (error, out_of_time)
        })?;
    }
    let recorded = recorder.take();
    // no action moves to another place
    let ordered = segments(recorded.declared).into_iter().map(|segment| order(segment.declared));
    let declared = ordered.collect::<Result<Vec<_>, _>>().map_err(|message| {
        (NodeError { phase: Some(name.to_owned()), ..NodeError::new(message) }, false)
    })?;
    let numbered = |(position, one)| Declared { number: position + 1, ..one };
    let declared = declared.into_iter().flatten().enumerate().map(numbered);
    let declared: Vec<Declared> = declared.collect();
    if name == HEALTH {
        check_health(&declared).map_err(|message| {
            (NodeError { phase: Some(name.to_owned()), ..NodeError::new(message) }, false)
        })?;
    }
    Ok((declared, recorded.said))
}

/// Refuses a health check that changes the node, or that would pass without a look at it.
fn check_health(declared: &[Declared]) -> Result<(), String> {
    let help = "use wait_for_http, wait_for_port, wait_for_file or wait_for_command";
    if declared.is_empty() {
        return Err(format!("it declares no check for this node; {help}"));
    }
    for one in declared {
        if !one.action.only_waits() {
            let label = one.label();
            return Err(format!("{label} changes the node, and a health check only waits; {help}"));
        }
        let doubts = [
            (one.options.ignore_errors, "whose errors are ignored"),
            (!one.blocks.is_empty(), "within on_failure"),
            (!one.conditions.is_empty(), "within plan_when or plan_when_not"),
        ];
        if let Some((_, doubt)) = doubts.iter().find(|(holds, _)| *holds) {
            return Err(format!("{}: a check {doubt} may check nothing", one.label()));
        }
    }
    Ok(())
}

//! Explains a phase of one node: plans it as a dry run does, and compiles what an apply would send.

use std::borrow::Cow;

use serde_json::Value;

use super::super::apply::{Compiled, Frame, compile};
use super::super::node_apply::error_of;
use super::super::node_run::NodeRun;
use super::super::vault::Vault;
use super::super::{Engine, NodeError};
use super::explanation::{Condition, ExplainedAction, ExplainedPhase, ExplainedUpload, Observed};
use super::observed::observed;
use crate::action::{self, ActionError, Change, Declared, Skipped, Step, UploadSource};
use crate::script::Script;

/// Stands where an apply has a word that is made for it alone.
const TOKEN: &str = "pallet";

/// Stands for the script of an action that cannot be shown without its secrets.
const WITHHELD: &str = "# what runs here holds secrets and is not shown";

impl NodeRun {
    /// Explains a phase, and brings the node to what it would then be.
    pub(in super::super) async fn explain_phase(
        &mut self,
        engine: &Engine,
        position: usize,
        phase: &str,
        mut declared: Vec<Declared>,
    ) {
        let Some(state) = self.state.clone() else { return };
        let flags = self.flags.clone();
        let mut observes = Vec::new();
        let mut predicted = state.clone();
        let mut planned = action::plan_watched(
            &declared,
            &mut predicted,
            &mut self.flags,
            false,
            &mut |declared, node| {
                observes.push(observed(declared, node));
            },
        );
        if let Err((index, error)) = planned {
            // what stands before it can be explained still
            self.fail(error_of(phase, &declared[index], error.to_string(), String::new()));
            declared.truncate(index);
            (predicted, self.flags) = (state.clone(), flags.clone());
            planned = action::plan(&declared, &mut predicted, &mut self.flags, false);
        }
        let Ok(steps) = planned else { return };
        let mut explained: Vec<_> = steps
            .iter()
            .zip(observes)
            .map(|(step, observes)| {
                self.explain_action(phase, &declared[step.index], step, observes)
            })
            .collect();
        let steps = shown(&mut declared, steps, |declared| {
            action::plan(declared, &mut state.clone(), &mut flags.clone(), false)
        });
        let mut script = String::new();
        if steps.iter().any(|step| step.change.is_some()) {
            let present =
                if self.predicted { Vec::new() } else { self.present(engine, &steps).await };
            let frame = Frame {
                token: TOKEN,
                phase,
                flags: &flags,
                later: &self.flags_after(position),
                os: &predicted.os,
                user: &predicted.user,
                present: &present,
                library: &engine.library,
                also: "",
                leftovers: false,
            };
            match compile(&declared, &steps, &frame) {
                Ok(compiled) => {
                    take_scripts(&mut explained, &declared, &steps, &compiled);
                    script = compiled.script;
                }
                Err(error) => self.fail(NodeError {
                    phase: Some(phase.to_owned()),
                    ..NodeError::new(error.to_string())
                }),
            }
        }
        let mut explained = ExplainedPhase { phase: phase.to_owned(), actions: explained, script };
        explained.redact(&engine.vault);
        self.explained.get_or_insert_default().push(explained);
        self.state = Some(predicted);
    }

    fn explain_action(
        &self,
        phase: &str,
        declared: &Declared,
        step: &Step,
        observes: Vec<Observed>,
    ) -> ExplainedAction {
        let change = self.describe(phase, declared, step);
        let failing = match &step.skipped {
            Some(Skipped::Conditions(failing)) => failing.as_slice(),
            _ => &[],
        };
        let conditions = declared.conditions.iter().map(|condition| Condition {
            command: condition.command.clone(),
            unless: condition.unless,
            holds: (!step.conditions.contains(condition)).then(|| !failing.contains(condition)),
        });
        ExplainedAction {
            action: change.action,
            subject: change.subject,
            arguments: declared.shown.as_ref().map_or(Value::Null, |shown| shown.arguments.clone()),
            options: declared.options.clone(),
            conditions: conditions.collect(),
            source: change.source,
            via: change.via,
            observes,
            reason: change.certainty.is_none().then(|| reason(step)),
            certainty: change.certainty,
            summary: change.summary,
            diff: change.diff,
            script: String::new(),
            together_with: Vec::new(),
            uploads: step.change.iter().flat_map(|change| &change.uploads).map(upload).collect(),
        }
    }
}

/// Why there is nothing to do.
fn reason(step: &Step) -> String {
    match &step.skipped {
        Some(Skipped::Flag(flag)) => format!("nothing before it sets the flag {flag}"),
        Some(Skipped::Conditions(failing)) => {
            let words = failing.iter().map(|condition| {
                format!(
                    "`{}` {}",
                    condition.command,
                    if condition.unless { "succeeds" } else { "fails" }
                )
            });
            words.collect::<Vec<_>>().join(", ")
        }
        None => "it is so already".to_owned(),
    }
}

fn upload(upload: &action::Upload) -> ExplainedUpload {
    let file = match &upload.source {
        UploadSource::File(path) => Some(path.clone()),
        UploadSource::Bytes(_) => None,
    };
    ExplainedUpload { digest: upload.digest.clone(), file }
}

/// The steps with changes that hold no secrets: those that do are planned with placeholders, over
/// the same state.
fn shown(
    declared: &mut [Declared],
    mut steps: Vec<Step>,
    plan: impl FnOnce(&[Declared]) -> Result<Vec<Step>, (usize, ActionError)>,
) -> Vec<Step> {
    if declared.iter().all(|declared| declared.secret.is_none()) {
        return steps;
    }
    let mut replaced = vec![false; declared.len()];
    for (declared, replaced) in declared.iter_mut().zip(&mut replaced) {
        if let Some(action) = declared.shown.as_mut().and_then(|shown| shown.action.take()) {
            declared.action = action;
            *replaced = true;
        }
    }
    let mut again = plan(declared).unwrap_or_default();
    for step in &mut steps {
        let Some(change) = &mut step.change else { continue };
        if declared[step.index].secret.is_none() {
            continue;
        }
        let same = again
            .get_mut(step.index)
            .filter(|_| replaced[step.index])
            .and_then(|step| step.change.take());
        *change = Change {
            certainty: change.certainty,
            ..same.unwrap_or_else(|| Change::will("", Script::new().raw(WITHHELD)))
        };
    }
    steps
}

/// Gives each action its part of the script.
fn take_scripts(
    explained: &mut [ExplainedAction],
    declared: &[Declared],
    steps: &[Step],
    compiled: &Compiled,
) {
    let label = |step: &usize| declared[steps[*step].index].label();
    for part in &compiled.parts {
        for step in &part.steps {
            explained[*step].script = compiled.script[part.text.clone()].to_owned();
            explained[*step].together_with =
                part.steps.iter().filter(|other| *other != step).map(label).collect();
        }
    }
}

impl ExplainedPhase {
    /// Takes all secrets out of it. There should be none but in what the node told.
    fn redact(&mut self, vault: &Vault) {
        let hide = |text: &mut String| {
            if let Cow::Owned(redacted) = vault.redact(text) {
                *text = redacted;
            }
        };
        hide(&mut self.script);
        for action in &mut self.actions {
            [&mut action.subject, &mut action.summary, &mut action.diff, &mut action.script]
                .into_iter()
                .for_each(hide);
            action.reason.iter_mut().chain(&mut action.together_with).for_each(hide);
            action.conditions.iter_mut().map(|condition| &mut condition.command).for_each(hide);
            let words = action.observes.iter_mut().flat_map(|observed| {
                std::iter::once(&mut observed.what).chain(&mut observed.found)
            });
            words.for_each(hide);
        }
    }
}

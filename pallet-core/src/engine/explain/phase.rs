//! Explains a phase of one node: plans it like a dry run, and compiles the script of an apply.

use std::borrow::Cow;

use serde_json::Value;

use super::explanation::{Condition, ExplainedAction, ExplainedPhase, ExplainedUpload, Observed};
use super::observed::observed;
use crate::action::{self, Change, Declared, Segment, Skipped, UploadSource, segments};
use crate::engine::Engine;
use crate::engine::node::{Compiled, PhasePlan, PlannedAction, compile, plan_phase};
use crate::engine::operation::{Member, error_of};
use crate::engine::vault::Vault;
use crate::observe::NodeState;
use crate::script::Script;

/// Stands for the random token of an apply.
const TOKEN: &str = "pallet";

/// Stands for the script of an action that cannot be shown without its secrets.
const WITHHELD: &str = "# what runs here holds secrets and is not shown";

/// Explains a phase, and updates the node's known state to the state after it.
pub(super) async fn explain_phase(
    engine: &Engine,
    member: &mut Member,
    position: usize,
) -> Option<ExplainedPhase> {
    let (phase, declared) = member.planner.phase(position)?;
    if declared.is_empty() {
        return None;
    }
    let mut explained = ExplainedPhase { phase, actions: Vec::new(), script: String::new() };
    for segment in segments(declared) {
        explain_segment(engine, member, position, segment, &mut explained).await;
        if member.has_ended() {
            break;
        }
    }
    explained.redact(&engine.vault);
    Some(explained)
}

/// Explains the actions of a phase that run at one place. The state of another node is not asked.
async fn explain_segment(
    engine: &Engine,
    member: &mut Member,
    position: usize,
    Segment { place, mut declared }: Segment,
    explained: &mut ExplainedPhase,
) {
    let Some((known, flags)) = member.planner.known() else { return };
    let state = match &place {
        None => known,
        Some(_) => NodeState::new(known.os),
    };
    let phase = explained.phase.clone();
    let name = member.name().to_owned();
    let context = member.planner.context(&name, &phase, position);
    let mut observes = Vec::new();
    let (mut after, mut flags_after) = (state.clone(), flags.clone());
    let mut watch = |declared: &Declared, node: &_| observes.push(observed(declared, node));
    let mut planned = plan_phase(&context, &declared, &mut after, &mut flags_after, &mut watch);
    if let Err((index, error)) = planned {
        // the actions before it can still be explained
        member.fail(error_of(&phase, &declared[index], error.to_string()));
        declared.truncate(index);
        (after, flags_after) = (state.clone(), flags.clone());
        planned = plan_phase(&context, &declared, &mut after, &mut flags_after, &mut |_, _| {});
    }
    let Ok(plan) = planned else { return };
    let mut actions: Vec<_> = declared
        .iter()
        .zip(&plan.actions)
        .zip(observes)
        .map(|((declared, action), observes)| explain_action(&plan, declared, action, observes))
        .collect();
    let mut shown = with_placeholders(plan, &mut declared, |declared| {
        plan_phase(&context, declared, &mut state.clone(), &mut flags.clone(), &mut |_, _| {}).ok()
    });
    if shown.changing() > 0 {
        if !member.planner.is_predicted() && place.is_none() {
            member.find_present(engine, &mut shown).await;
        }
        match compile(&PhasePlan { leftovers: false, ..shown.clone() }, TOKEN, &engine.library) {
            Ok(compiled) => {
                take_scripts(&mut actions, &shown, &compiled);
                explained.script.push_str(&compiled.script);
            }
            Err(error) => member.fail(shown.error(error.to_string())),
        }
    }
    if place.is_none() {
        member.planner.set_known(after, flags_after);
    }
    explained.actions.extend(actions);
}

fn explain_action(
    plan: &PhasePlan,
    declared: &Declared,
    action: &PlannedAction,
    observes: Vec<Observed>,
) -> ExplainedAction {
    let change = plan.describe(action);
    let failing = match &action.skipped {
        Some(Skipped::Conditions(failing)) => failing.as_slice(),
        _ => &[],
    };
    let conditions = declared.conditions.iter().map(|condition| Condition {
        command: condition.command.clone(),
        unless: condition.unless,
        holds: (!action.conditions.contains(condition)).then(|| !failing.contains(condition)),
    });
    ExplainedAction {
        action: change.action,
        subject: change.subject,
        arguments: declared.shown.as_ref().map_or(Value::Null, |shown| shown.arguments.clone()),
        options: declared.options.clone(),
        conditions: conditions.collect(),
        blocks: declared.blocks.iter().map(|block| block.role).collect(),
        source: change.source,
        via: change.via,
        place: declared.place.clone(),
        observes,
        reason: change.certainty.is_none().then(|| reason(action)),
        certainty: change.certainty,
        summary: change.summary,
        diff: change.diff,
        script: String::new(),
        together_with: Vec::new(),
        uploads: action.change.iter().flat_map(|change| &change.uploads).map(upload).collect(),
    }
}

/// Why there is nothing to do.
fn reason(action: &PlannedAction) -> String {
    match &action.skipped {
        Some(Skipped::Flag(flag)) => format!("nothing before it sets the flag {flag}"),
        Some(Skipped::Served(flag)) => {
            format!("the same action runs before it, and nothing sets the flag {flag} in between")
        }
        Some(Skipped::Rescue) => "nothing before it in its on_failure can fail".to_owned(),
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
        UploadSource::Bytes(_) | UploadSource::LeftOut { .. } => None,
    };
    ExplainedUpload { digest: upload.digest.clone(), file }
}

/// The plan without secrets: actions with secrets are planned again with placeholders, from the
/// same state.
fn with_placeholders(
    mut plan: PhasePlan,
    declared: &mut [Declared],
    plan_again: impl FnOnce(&[Declared]) -> Option<PhasePlan>,
) -> PhasePlan {
    if declared.iter().all(|declared| declared.secret.is_none()) {
        return plan;
    }
    let mut replaced = vec![false; declared.len()];
    for (declared, replaced) in declared.iter_mut().zip(&mut replaced) {
        if let Some(action) = declared.shown.as_mut().and_then(|shown| shown.action.take()) {
            declared.action = action;
            *replaced = true;
        }
    }
    let mut again = plan_again(declared).map(|plan| plan.actions).unwrap_or_default();
    for (position, action) in plan.actions.iter_mut().enumerate() {
        let Some(change) = action.change.as_mut().filter(|_| action.secret) else { continue };
        let same = again.get_mut(position).filter(|_| replaced[position]);
        let same = same.and_then(|action| action.change.take());
        *change = Change {
            certainty: change.certainty,
            ..same.unwrap_or_else(|| Change::will("", Script::new().raw(WITHHELD)))
        };
    }
    plan
}

/// Gives each action its part of the script.
fn take_scripts(explained: &mut [ExplainedAction], plan: &PhasePlan, compiled: &Compiled) {
    let label = |position: &usize| plan.actions[*position].label();
    for part in &compiled.parts {
        for position in &part.actions {
            let others = part.actions.iter().filter(|other| *other != position);
            explained[*position].script = compiled.script[part.text.clone()].to_owned();
            explained[*position].together_with = others.map(label).collect();
        }
    }
}

impl ExplainedPhase {
    /// Redacts all secrets. Only text that came from the node should contain any.
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

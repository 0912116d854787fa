//! Applies a plan to its node, and reads the result of each change.

use super::compile::{Compiled, INCOMING, Part, compile};
use super::frames::{Frame, Frames};
use super::phase_plan::PhasePlan;
use super::session::Session;
use super::why::why;
use crate::action::{BlockRole, Certainty, FlagTurn, InBlock, UploadSource};
use crate::engine::excerpt::Excerpt;
use crate::engine::operation::{Event, PlannedChange};
use crate::engine::random_token::random_token;
use crate::engine::{Engine, NodeError};
use crate::transport::{InputPart, Stream, TransportError};

/// How many times uploads are sent, if another run removes them before the script begins.
const SENT: usize = 3;

/// How the warnings about failures end that do not fail the node.
pub(in crate::engine) const IGNORED: &str = "ignored (ignore_errors)";
pub(in crate::engine) const RESCUED: &str = "rescued (on_failure)";

/// The result of applying a plan.
#[derive(Default)]
pub(in crate::engine) struct Applied {
    /// How many actions changed something.
    pub(in crate::engine) changes: usize,
    /// How many changes by hand were found and kept.
    pub(in crate::engine) drifted: usize,
    /// What the actions did about flags, in order.
    pub(in crate::engine) turns: Vec<FlagTurn>,
    /// The node is about to reboot.
    pub(in crate::engine) reboots: bool,
    /// Why the apply ended early.
    pub(in crate::engine) error: Option<NodeError>,
}

/// Applies a plan, and reports each action.
pub(in crate::engine) async fn apply(
    engine: &Engine,
    session: &mut Session,
    plan: &PhasePlan,
) -> Applied {
    let failed = |error: NodeError| Applied { error: Some(error), ..Applied::default() };
    if let Some(action) = plan.actions.iter().find(|action| action.withheld) {
        let message = "the plan was written without its secrets; plan again".to_owned();
        return failed(action.error(&plan.phase, message, String::new()));
    }
    let token = random_token();
    let compiled = match compile(plan, &token, &engine.library) {
        Ok(compiled) => compiled,
        Err(error) => return failed(plan.error(error.to_string())),
    };
    let told: Vec<Told> = compiled.parts.iter().map(|part| Told::of(plan, part)).collect();
    let mut heard = (Ok(0), Progress::default());
    for _ in 0..SENT {
        for upload in &compiled.uploads {
            if let Err(error) = send(engine, session, &upload.digest, &upload.source).await {
                return failed(plan.error(error.to_string()));
            }
        }
        heard = hear(engine, session, &compiled, &told, &token).await;
        if !heard.1.missing {
            break;
        }
    }
    let (result, progress) = heard;
    conclude(plan, &compiled, result, progress)
}

/// Derives the result from the script's exit and output.
fn conclude(
    plan: &PhasePlan,
    compiled: &Compiled,
    result: Result<i32, TransportError>,
    mut progress: Progress<'_>,
) -> Applied {
    let phase = &plan.phase;
    let mut applied = Applied { drifted: progress.drifted, ..Applied::default() };
    for (number, part) in compiled.parts.iter().enumerate() {
        let ended = progress.ended.iter().find(|ended| ended.part == number);
        let actions = part.actions.iter().map(|position| &plan.actions[*position]);
        let well = ended.is_some_and(|ended| ended.failure.is_none());
        let changed = well && ended.is_some_and(|ended| ended.changed);
        applied.changes += if changed { part.actions.len() } else { 0 };
        applied.reboots |= changed && actions.clone().any(|action| action.reboots.is_some());
        // one that failed, or was skipped because another one did, sets none
        let over = ended.is_some() || progress.done;
        for action in actions {
            // one that changed nothing may have been skipped by a condition
            let had = well && (changed || action.conditions.is_empty());
            let had = action.waiting.iter().filter(|_| had).cloned().map(FlagTurn::Had);
            let set = action.options.flag_on_change.iter().filter(|_| over).cloned();
            let set = set.map(if changed { FlagTurn::Set } else { FlagTurn::NotSet });
            applied.turns.extend(had.chain(set));
        }
    }
    applied.error = failure(plan, compiled, &mut progress);
    if let Some(error) = &mut applied.error {
        if let (Err(lost), Some(_)) = (&result, progress.current) {
            error.message += &format!("; and then {lost}");
        }
        return applied;
    }
    let current = progress.current.and_then(|part| compiled.parts.get(part));
    let current = current.and_then(|part| part.actions.first());
    let current = current.map(|position| &plan.actions[*position]);
    let Progress { mut noise, reason, lines, .. } = progress;
    let error = match (result, current) {
        (Err(error), Some(action)) => {
            let message = format!("{error}, at {}", action.label());
            action.error(phase, message, lines.text())
        }
        (Ok(_), _) if progress.done => return applied,
        (Err(error), None) => NodeError { detail: noise.text(), ..plan.error(error.to_string()) },
        (Ok(_), _) if progress.missing => {
            let message = format!(
                "the uploads for phase {phase} were removed {SENT} times before they were used; \
                 is somebody else changing this node?"
            );
            NodeError { detail: noise.text(), ..plan.error(message) }
        }
        (Ok(code), action) => {
            let at = action.map(|action| format!(" at {}", action.label())).unwrap_or_default();
            let why = why(code, reason, &mut noise);
            let message = format!("the script of phase {phase} ended early{at}: it {why}");
            NodeError { detail: noise.text(), ..plan.error(message) }
        }
    };
    applied.error = Some(error);
    applied
}

/// The error of the actions that failed and were not ignored or rescued.
fn failure(
    plan: &PhasePlan,
    compiled: &Compiled,
    progress: &mut Progress<'_>,
) -> Option<NodeError> {
    let mut error: Option<NodeError> = None;
    for Ended { part, failure, .. } in &mut progress.ended {
        let action = &plan.actions[compiled.parts.get(*part)?.actions[0]];
        let Some(failure) = failure.take_if(|failure| !failure.settled) else { continue };
        match &mut error {
            None => error = Some(action.error(&plan.phase, failure.message, failure.lines.text())),
            // only what is in a block runs after a failure
            Some(first) => first.message += &format!("; and then {}", failure.in_short()),
        }
    }
    error
}

/// Runs the script, and reports its output while it runs.
async fn hear<'a>(
    engine: &Engine,
    session: &mut Session,
    compiled: &Compiled,
    told: &'a [Told],
    token: &str,
) -> (Result<i32, TransportError>, Progress<'a>) {
    let (mut frames, mut errors) = (Frames::new(token), Frames::new(token));
    let mut progress = Progress { parts: told, ..Progress::default() };
    let mut take = |stream: Stream, read: &[u8]| match stream {
        Stream::Out => frames.push(read, &mut |frame| progress.take(frame, engine)),
        Stream::Err => errors.push(read, &mut |frame| progress.take_error(frame, engine)),
    };
    let result = session.run(engine, &compiled.script, compiled.agent, &mut take).await;
    frames.end(&mut |frame| progress.take(frame, engine));
    errors.end(&mut |frame| progress.take_error(frame, engine));
    (result, progress)
}

async fn send(
    engine: &Engine,
    session: &mut Session,
    digest: &str,
    source: &UploadSource,
) -> Result<(), TransportError> {
    let content = match source {
        UploadSource::Bytes(bytes) => InputPart::Bytes(bytes.to_vec()),
        UploadSource::File(path) => InputPart::File(path.clone()),
        UploadSource::LeftOut { .. } => {
            let message = "the plan was written without this content; plan again".to_owned();
            return Err(TransportError::Input { path: digest.into(), message });
        }
    };
    session.put(engine, &format!("{INCOMING}/{digest}"), content).await
}

/// What is reported of a part.
struct Told {
    changes: Vec<PlannedChange>,
    labels: String,
    ignore_errors: bool,
    blocks: Vec<InBlock>,
}

impl Told {
    fn of(plan: &PhasePlan, part: &Part) -> Self {
        let actions: Vec<_> = part.actions.iter().map(|at| &plan.actions[*at]).collect();
        let labels: Vec<_> = actions.iter().map(|action| action.label()).collect();
        Told {
            changes: actions.iter().map(|action| plan.describe(action)).collect(),
            labels: labels.join(", "),
            ignore_errors: actions[0].options.ignore_errors,
            blocks: actions[0].blocks.clone(),
        }
    }

    fn warn(&self, engine: &Engine, message: String) {
        let node = self.changes.first().map(|change| change.node.clone());
        engine.tell(Event::Warning { node, message });
    }
}

/// The progress of a script.
#[derive(Default)]
struct Progress<'a> {
    parts: &'a [Told],
    ended: Vec<Ended>,
    current: Option<usize>,
    changed: bool,
    drifted: usize,
    /// The output of the current part, without secrets.
    lines: Excerpt,
    /// Output outside of all parts.
    noise: Excerpt,
    reason: Option<String>,
    missing: bool,
    done: bool,
}

struct Ended {
    part: usize,
    changed: bool,
    failure: Option<Failure>,
}

/// The failure of a part.
struct Failure {
    message: String,
    lines: Excerpt,
    /// It was ignored or rescued.
    settled: bool,
}

impl Failure {
    /// The message, with the last line of the output unless it ends with that.
    fn in_short(&self) -> String {
        match self.lines.last() {
            Some(line) if !self.message.ends_with(line) => format!("{}: {line}", self.message),
            _ => self.message.clone(),
        }
    }
}

impl Progress<'_> {
    /// Handles a frame of the script's output, and reports it at once.
    fn take(&mut self, frame: Frame, engine: &Engine) {
        let parts = self.parts;
        match frame {
            Frame::Begin(part) => {
                self.current = Some(part);
                self.changed = false;
                self.lines.clear();
                self.reason = None;
                if let Some(change) = parts.get(part).and_then(|told| told.changes.first()) {
                    let action = format!("{} {}", change.action, change.subject);
                    engine.tell(Event::ActionStarted {
                        node: change.node.clone(),
                        phase: change.phase.clone(),
                        action,
                    });
                }
            }
            Frame::Changed(_) => self.changed = true,
            Frame::Drifted(part) => {
                self.drifted += 1;
                for change in parts.get(part).into_iter().flat_map(|told| &told.changes) {
                    engine.tell(Event::Drift(PlannedChange {
                        certainty: Some(Certainty::Drifted),
                        ..change.clone()
                    }));
                }
            }
            Frame::End(part, code) => {
                self.current = None;
                let failure = match parts.get(part) {
                    Some(told) if code != 0 => Some(self.failed(told, code, engine)),
                    _ => None,
                };
                self.lines.clear();
                let changes = parts.get(part).into_iter().flat_map(|told| &told.changes);
                for change in changes.filter(|_| code == 0) {
                    engine.tell(Event::Action { change: change.clone(), changed: self.changed });
                }
                self.ended.push(Ended { part, changed: self.changed, failure });
            }
            Frame::Rescued(block) => self.rescued(block, engine),
            Frame::Waiting => {
                let node = parts
                    .first()
                    .and_then(|told| told.changes.first())
                    .map(|change| change.node.clone());
                let message = "waiting for another operation that is changing this node".to_owned();
                engine.tell(Event::Message { node, level: "info".to_owned(), message });
            }
            Frame::Reason(reason) => self.reason = Some(engine.vault.redact(&reason).into_owned()),
            Frame::Missing => self.missing = true,
            Frame::Done => self.done = true,
            Frame::Line { text, begins, ends } => {
                let line = engine.vault.redact_piece(&text, begins, ends);
                self.lines.push(&line, ends);
                let current = self.current.and_then(|part| parts.get(part)?.changes.first());
                let Some(change) = current else { return };
                let (node, phase, action) = (
                    change.node.clone(),
                    change.phase.clone(),
                    format!("{} {}", change.action, change.subject),
                );
                engine.tell(Event::Output { node, phase, action, line: line.into_owned() });
            }
        }
    }

    /// The failure of a part; a warning, if it is ignored.
    fn failed(&mut self, told: &Told, code: i32, engine: &Engine) -> Failure {
        let mut lines = std::mem::take(&mut self.lines);
        let why = why(code, self.reason.take(), &mut lines);
        let message = format!("{} {why}", told.labels);
        let failure = Failure { message, lines, settled: told.ignore_errors };
        if told.ignore_errors {
            told.warn(engine, format!("{}; {IGNORED}", failure.in_short()));
        }
        failure
    }

    /// Warns about what failed in the body of a block and was rescued.
    fn rescued(&mut self, block: usize, engine: &Engine) {
        let parts = self.parts;
        let mut words: Vec<String> = Vec::new();
        let mut first = None;
        for Ended { part, failure, .. } in &mut self.ended {
            let (Some(told), Some(failure)) = (parts.get(*part), failure) else { continue };
            let in_body =
                told.blocks.iter().any(|one| one.id == block && one.role == BlockRole::Body);
            if in_body && !failure.settled {
                failure.settled = true;
                words.push(failure.in_short());
                first = first.or(Some(told));
            }
        }
        if let Some(told) = first {
            told.warn(engine, format!("{}; {RESCUED}", words.join("; and then ")));
        }
    }

    /// Handles standard error, which is outside of all parts.
    fn take_error(&mut self, frame: Frame, engine: &Engine) {
        match frame {
            Frame::Line { text, begins, ends } => {
                self.noise.push(&engine.vault.redact_piece(&text, begins, ends), ends)
            }
            Frame::Reason(reason) => self.reason = Some(engine.vault.redact(&reason).into_owned()),
            _ => {}
        }
    }
}

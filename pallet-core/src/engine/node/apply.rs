//! Applies a plan to its node, and reads the result of each change.

use super::compile::{Compiled, INCOMING, compile};
use super::frames::{Frame, Frames};
use super::phase_plan::PhasePlan;
use super::session::Session;
use crate::action::{Certainty, UploadSource};
use crate::engine::excerpt::Excerpt;
use crate::engine::operation::{Event, PlannedChange};
use crate::engine::random_token::random_token;
use crate::engine::{Engine, NodeError};
use crate::transport::{InputPart, Stream, TransportError};

/// How many times uploads are sent, if another run removes them before the script begins.
const SENT: usize = 3;

/// Reasons why something cannot be written: the system's error text, and an explanation.
const REASONS: [(&str, &str); 8] = [
    ("No space left on device", "the disk is full: "),
    ("Disk quota exceeded", "the disk quota is used up: "),
    ("Read-only file system", "the file system is read-only: "),
    ("File too large", "the file is too large for the file system: "),
    ("Permission denied", ""),
    ("Operation not permitted", ""),
    ("Device or resource busy", ""),
    ("Input/output error", ""),
];

/// The result of applying a plan.
#[derive(Default)]
pub(in crate::engine) struct Applied {
    /// How many actions changed something.
    pub(in crate::engine) changes: usize,
    /// How many changes by hand were found and kept.
    pub(in crate::engine) drifted: usize,
    /// The flags of actions with `flag_on_change`, and whether each was set, in order.
    pub(in crate::engine) flags: Vec<(String, bool)>,
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
    let told: Vec<Vec<PlannedChange>> = compiled
        .parts
        .iter()
        .map(|part| {
            part.actions.iter().map(|position| plan.describe(&plan.actions[*position])).collect()
        })
        .collect();
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
    mut progress: Progress,
) -> Applied {
    let phase = &plan.phase;
    let mut applied = Applied { drifted: progress.drifted, ..Applied::default() };
    for (part, ended) in compiled.parts.iter().zip(&progress.ended) {
        let actions: Vec<_> =
            part.actions.iter().map(|position| &plan.actions[*position]).collect();
        if ended.code != 0 {
            let labels: Vec<_> = actions.iter().map(|action| action.label()).collect();
            let mut lines = std::mem::take(&mut progress.lines);
            let why = why(ended.code, progress.reason.take(), &mut lines);
            let message = format!("{} {why}", labels.join(", "));
            let error = actions[0].error(phase, message, lines.text());
            applied.error = Some(error);
            break;
        }
        applied.changes += if ended.changed { actions.len() } else { 0 };
        let flags = actions.iter().filter_map(|action| action.options.flag_on_change.clone());
        applied.flags.extend(flags.map(|flag| (flag, ended.changed)));
    }
    if applied.error.is_some() {
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

/// Runs the script, and reports its output while it runs.
async fn hear(
    engine: &Engine,
    session: &mut Session,
    compiled: &Compiled,
    told: &[Vec<PlannedChange>],
    token: &str,
) -> (Result<i32, TransportError>, Progress) {
    let (mut frames, mut errors) = (Frames::new(token), Frames::new(token));
    let mut progress = Progress::default();
    let mut take = |stream: Stream, read: &[u8]| match stream {
        Stream::Out => frames.push(read, &mut |frame| progress.take(frame, told, engine)),
        Stream::Err => errors.push(read, &mut |frame| progress.take_error(frame, engine)),
    };
    let result = session.run(engine, &compiled.script, compiled.agent, &mut take).await;
    frames.end(&mut |frame| progress.take(frame, told, engine));
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

/// The progress of a script.
#[derive(Default)]
struct Progress {
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
    code: i32,
    changed: bool,
}

impl Progress {
    /// Handles a frame of the script's output, and reports it at once.
    fn take(&mut self, frame: Frame, parts: &[Vec<PlannedChange>], engine: &Engine) {
        match frame {
            Frame::Begin(part) => {
                self.current = Some(part);
                self.changed = false;
                self.lines.clear();
                self.reason = None;
                if let Some(change) = parts.get(part).and_then(|changes| changes.first()) {
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
                for change in parts.get(part).into_iter().flatten() {
                    engine.tell(Event::Drift(PlannedChange {
                        certainty: Some(Certainty::Drifted),
                        ..change.clone()
                    }));
                }
            }
            Frame::End(part, code) => {
                self.current = None;
                self.ended.push(Ended { code, changed: self.changed });
                if code == 0 {
                    self.lines.clear();
                    for change in parts.get(part).into_iter().flatten() {
                        engine
                            .tell(Event::Action { change: change.clone(), changed: self.changed });
                    }
                }
            }
            Frame::Waiting => {
                let node = parts
                    .first()
                    .and_then(|changes| changes.first())
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
                let Some(change) = self.current.and_then(|part| parts.get(part)?.first()) else {
                    return;
                };
                let (node, phase, action) = (
                    change.node.clone(),
                    change.phase.clone(),
                    format!("{} {}", change.action, change.subject),
                );
                engine.tell(Event::Output { node, phase, action, line: line.into_owned() });
            }
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

/// Why a script or part ended with this code, as far as known. A line that is used here is removed
/// from `lines`, so that it is not shown twice.
fn why(code: i32, reason: Option<String>, lines: &mut Excerpt) -> String {
    if let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) {
        let code = if code == 1 { String::new() } else { format!(" with exit code {code}") };
        return format!("failed{code}: {reason}");
    }
    let how = match code {
        129..160 => format!("was ended by signal {}", code - 128),
        code => format!("failed with exit code {code}"),
    };
    let known = lines.last().and_then(|line| REASONS.iter().find(|(said, _)| line.contains(said)));
    match known.and_then(|(_, words)| Some((words, lines.pop()?))) {
        Some((words, line)) => format!("{how}: {words}{line}"),
        None => how,
    }
}

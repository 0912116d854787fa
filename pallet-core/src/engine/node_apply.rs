//! One node in one operation: making the changes of a phase, and reading what became of each.

use super::apply::{Compiled, INCOMING};
use super::event::{Event, PlannedChange};
use super::excerpt::Excerpt;
use super::frames::{Frame, Frames};
use super::node_connect::unless_stopped;
use super::node_run::NodeRun;
use super::{Engine, NodeError};
use crate::action::{Certainty, Declared, Step, UploadSource};
use crate::transport::{self, Input, InputPart, Stream, TransportError};

/// So often what a script needs is sent again, if somebody else took it away before it began.
const SENT: usize = 3;

/// What the system says when something cannot be written, and what that means.
const REASONS: [(&str, &str); 8] = [
    ("No space left on device", "the disk is full: "),
    ("Disk quota exceeded", "the disk quota is used up: "),
    ("Read-only file system", "the file system is read-only: "),
    ("File too large", "the file system takes no file of this size: "),
    ("Permission denied", ""),
    ("Operation not permitted", ""),
    ("Device or resource busy", ""),
    ("Input/output error", ""),
];

impl NodeRun {
    /// Runs the script of a phase, and tells of each action.
    pub(super) async fn apply(
        &mut self,
        engine: &Engine,
        phase: &str,
        declared: &[Declared],
        steps: &[Step],
        compiled: &Compiled,
        token: &str,
    ) {
        let parts: Vec<Vec<PlannedChange>> = compiled
            .parts
            .iter()
            .map(|part| {
                part.steps
                    .iter()
                    .map(|step| self.describe(phase, &declared[steps[*step].index], &steps[*step]))
                    .collect()
            })
            .collect();
        let mut heard = (Ok(0), Progress::default());
        for _ in 0..SENT {
            for upload in &compiled.uploads {
                if let Err(error) = self.upload(engine, &upload.digest, &upload.source).await {
                    self.fail(NodeError {
                        phase: Some(phase.to_owned()),
                        ..NodeError::new(error.to_string())
                    });
                    return;
                }
            }
            heard = self.hear(engine, compiled, &parts, token).await;
            if !heard.1.missing {
                break;
            }
        }
        let (result, mut progress) = heard;
        self.drifted += progress.drifted;
        for (part, ended) in compiled.parts.iter().zip(&progress.ended) {
            if ended.code != 0 {
                let labels: Vec<_> =
                    part.steps.iter().map(|step| declared[steps[*step].index].label()).collect();
                let mut lines = std::mem::take(&mut progress.lines);
                let message = format!(
                    "{} {}",
                    labels.join(", "),
                    why(ended.code, progress.reason.take(), &mut lines)
                );
                self.fail(error_of(
                    phase,
                    &declared[steps[part.steps[0]].index],
                    message,
                    lines.text(),
                ));
                break;
            }
            for position in &part.steps {
                self.changes += usize::from(ended.changed);
                let Some(flag) = &declared[steps[*position].index].options.flag_on_change else {
                    continue;
                };
                // what was only possible is known now
                match ended.changed {
                    true => drop(self.flags.insert(flag.clone(), Certainty::Will)),
                    false if self.flags.get(flag) == Some(&Certainty::May) => {
                        self.flags.remove(flag);
                    }
                    false => {}
                }
            }
        }
        let at_work = progress
            .current
            .and_then(|part| compiled.parts.get(part))
            .and_then(|part| part.steps.first());
        if let (Err(error), Some(step)) = (&result, at_work) {
            let action = &declared[steps[*step].index];
            self.fail(error_of(
                phase,
                action,
                format!("{error}, at {}", action.label()),
                progress.lines.text(),
            ));
            return;
        }
        let Progress { mut noise, reason, .. } = progress;
        let error = match result {
            Err(error) => error.to_string(),
            Ok(_) if progress.done || self.failed() => return,
            Ok(_) if progress.missing => {
                format!(
                    "what was sent for phase {phase} was taken away {SENT} times before it was \
                     used; does somebody else change this node?"
                )
            }
            Ok(code) => {
                let at = progress.current.and_then(|part| parts.get(part)?.first());
                let at = at
                    .map(|change| format!(" at {} {}", change.action, change.subject))
                    .unwrap_or_default();
                format!(
                    "the script of phase {phase} ended early{at}: it {}",
                    why(code, reason, &mut noise)
                )
            }
        };
        self.fail(NodeError {
            phase: Some(phase.to_owned()),
            detail: noise.text(),
            ..NodeError::new(error)
        });
    }

    /// Runs the script, and tells what it says while it runs.
    async fn hear(
        &mut self,
        engine: &Engine,
        compiled: &Compiled,
        parts: &[Vec<PlannedChange>],
        token: &str,
    ) -> (Result<i32, TransportError>, Progress) {
        let (mut frames, mut errors) = (Frames::new(token), Frames::new(token));
        let mut progress = Progress::default();
        let result = self
            .run_with(engine, &compiled.script, compiled.agent, &mut |stream, read| match stream {
                Stream::Out => frames.push(read, &mut |frame| progress.take(frame, parts, engine)),
                Stream::Err => errors.push(read, &mut |frame| progress.take_error(frame, engine)),
            })
            .await;
        frames.end(&mut |frame| progress.take(frame, parts, engine));
        errors.end(&mut |frame| progress.take_error(frame, engine));
        (result, progress)
    }

    async fn upload(
        &mut self,
        engine: &Engine,
        digest: &str,
        source: &UploadSource,
    ) -> Result<(), TransportError> {
        let part = match source {
            UploadSource::Bytes(bytes) => InputPart::Bytes(bytes.to_vec()),
            UploadSource::File(path) => InputPart::File(path.clone()),
        };
        let (path, step) = (format!("{INCOMING}/{digest}"), self.step.clone());
        let work = async {
            let (transport, r#become) = self.connect(engine).await?;
            let turn = engine.turn();
            transport::put_in_turn(transport, r#become, &path, Input(vec![part]), &turn).await
        };
        unless_stopped(engine, &step, work).await
    }
}

pub(super) fn error_of(
    phase: &str,
    declared: &Declared,
    message: String,
    detail: String,
) -> NodeError {
    NodeError {
        message,
        phase: Some(phase.to_owned()),
        action: Some(declared.label()),
        source: declared.source.clone(),
        detail,
    }
}

/// How far a script has come.
#[derive(Default)]
struct Progress {
    ended: Vec<Ended>,
    current: Option<usize>,
    changed: bool,
    drifted: usize,
    /// What the current part printed, without secrets.
    lines: Excerpt,
    /// What was said outside of all parts.
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
    /// Takes what the script says, and tells of it at once.
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
                let message = "waits for another operation that is changing this node".to_owned();
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

    /// Takes what is said outside of all parts.
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

/// Why something ended with this code, as far as that can be known. What is said here is not said
/// once more by its lines.
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

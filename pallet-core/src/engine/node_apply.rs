//! One node in one operation: making the changes of a phase, and reading what became of each.

use super::apply::{Compiled, INCOMING};
use super::event::{Event, PlannedChange};
use super::frames::{Frame, Frames};
use super::node_connect::unless_stopped;
use super::node_run::NodeRun;
use super::{Engine, NodeError};
use crate::action::{Certainty, Declared, Step, UploadSource};
use crate::transport::{self, Input, InputPart, Stream, TransportError};

/// How many of the last lines that a failing action printed are part of its error.
const LINES_IN_ERROR: usize = 20;

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
        for upload in &compiled.uploads {
            if let Err(error) = self.upload(engine, &upload.digest, &upload.source).await {
                self.fail(NodeError { phase: Some(phase.to_owned()), ..NodeError::new(error.to_string()) });
                return;
            }
        }
        let parts: Vec<Vec<PlannedChange>> = compiled
            .parts
            .iter()
            .map(|part| part.steps.iter().map(|step| self.describe(phase, &declared[steps[*step].index], &steps[*step])).collect())
            .collect();
        let mut frames = Frames::new(token);
        let mut progress = Progress::default();
        let mut noise = Vec::new();
        let result = self
            .run(engine, &compiled.script, &mut |stream, piece| match stream {
                Stream::Err => noise.extend_from_slice(piece),
                Stream::Out => {
                    for frame in frames.push(piece) {
                        progress.take(frame, &parts, &|event| engine.tell(event));
                    }
                }
            })
            .await;
        self.drifted += progress.drifted;
        for (part, ended) in compiled.parts.iter().zip(&progress.ended) {
            if ended.code != 0 {
                let labels: Vec<_> = part.steps.iter().map(|step| declared[steps[*step].index].label()).collect();
                let message = format!("{} failed with exit code {}", labels.join(", "), ended.code);
                self.fail(error_of(phase, &declared[steps[part.steps[0]].index], message, tail(&progress.lines)));
                break;
            }
            for position in &part.steps {
                self.changes += usize::from(ended.changed);
                let Some(flag) = &declared[steps[*position].index].options.flag_on_change else { continue };
                // what was only possible is known now
                match ended.changed {
                    true => drop(self.flags.insert(flag.clone(), Certainty::Will)),
                    false if self.flags.get(flag) == Some(&Certainty::May) => drop(self.flags.remove(flag)),
                    false => {}
                }
            }
        }
        let error = match result {
            Err(error) => error.to_string(),
            Ok(_) if progress.done || self.failed() => return,
            Ok(code) => format!("the script of phase {phase} ended early, with exit code {code}"),
        };
        self.fail(NodeError { phase: Some(phase.to_owned()), detail: tail(&String::from_utf8_lossy(&noise)), ..NodeError::new(error) });
    }

    async fn upload(&mut self, engine: &Engine, digest: &str, source: &UploadSource) -> Result<(), TransportError> {
        let part = match source {
            UploadSource::Bytes(bytes) => InputPart::Bytes(bytes.to_vec()),
            UploadSource::File(path) => InputPart::File(path.clone()),
        };
        let path = format!("{INCOMING}/{digest}");
        let work = async {
            let (transport, r#become) = self.connect(engine).await?;
            transport::put(transport, r#become, &path, Input(vec![part])).await
        };
        unless_stopped(engine, work).await
    }
}

pub(super) fn error_of(phase: &str, declared: &Declared, message: String, detail: String) -> NodeError {
    NodeError { message, phase: Some(phase.to_owned()), action: Some(declared.label()), source: declared.source.clone(), detail }
}

pub(super) fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES_IN_ERROR)..].join("\n")
}

/// How far a script has come.
#[derive(Default)]
struct Progress {
    ended: Vec<Ended>,
    current: Option<usize>,
    changed: bool,
    drifted: usize,
    lines: String,
    done: bool,
}

struct Ended {
    code: i32,
    changed: bool,
}

impl Progress {
    /// Takes what the script says, and tells of it at once.
    fn take(&mut self, frame: Frame, parts: &[Vec<PlannedChange>], tell: &dyn Fn(Event)) {
        match frame {
            Frame::Begin(part) => {
                self.current = Some(part);
                self.changed = false;
                self.lines.clear();
                if let Some(change) = parts.get(part).and_then(|changes| changes.first()) {
                    let action = format!("{} {}", change.action, change.subject);
                    tell(Event::ActionStarted { node: change.node.clone(), phase: change.phase.clone(), action });
                }
            }
            Frame::Changed(_) => self.changed = true,
            Frame::Drifted(part) => {
                self.drifted += 1;
                for change in parts.get(part).into_iter().flatten() {
                    tell(Event::Drift(PlannedChange { certainty: Some(Certainty::Drifted), ..change.clone() }));
                }
            }
            Frame::End(part, code) => {
                self.current = None;
                self.ended.push(Ended { code, changed: self.changed });
                if code == 0 {
                    for change in parts.get(part).into_iter().flatten() {
                        tell(Event::Action { change: change.clone(), changed: self.changed });
                    }
                }
            }
            Frame::Waiting => {
                let node = parts.first().and_then(|changes| changes.first()).map(|change| change.node.clone());
                let message = "waits for another operation that is changing this node".to_owned();
                tell(Event::Message { node, level: "info".to_owned(), message });
            }
            Frame::Done => self.done = true,
            Frame::Line(line) => {
                let Some(change) = self.current.and_then(|part| parts.get(part)?.first()) else { return };
                self.lines.push_str(&line);
                self.lines.push('\n');
                let action = format!("{} {}", change.action, change.subject);
                tell(Event::Output { node: change.node.clone(), phase: change.phase.clone(), action, line });
            }
        }
    }
}

//! One node in one operation: asking what is on it, and how much it may answer.

use tokio::sync::Notify;

use super::excerpt::{Excerpt, Lines};
use super::node_run::{NodeRun, token};
use super::{Engine, NodeError};
use crate::observe;
use crate::observe::Observation;
use crate::transport::Stream;

/// So much a node may answer when it is asked what it is. It is held as a whole, for each node that
/// is asked at once.
const ANSWER: usize = 64 << 20;

impl NodeRun {
    /// Asks the node what is wanted, and its facts.
    pub(super) async fn ask(
        &mut self,
        engine: &Engine,
        wanted: &Observation,
    ) -> Result<observe::Observed, NodeError> {
        let token = token();
        let script = observe::compile(wanted, &token);
        if !self.step.starts_with("phase ") {
            self.step = "finding out how it is".to_owned();
        }
        let (mut out, mut lines, mut noise) = (Vec::new(), Lines::default(), Excerpt::default());
        let too_much = Notify::new();
        let result = {
            let mut take = |stream, read: &[u8]| match stream {
                Stream::Out if out.len() + read.len() > ANSWER => too_much.notify_one(),
                Stream::Out => out.extend_from_slice(read),
                Stream::Err => lines.push(read, &mut |piece| {
                    let line = engine.vault.redact_piece(piece.text, piece.begins, piece.ends);
                    noise.push(&line, piece.ends);
                }),
            };
            tokio::select! {
                result = self.run(engine, &script, &mut take) => Some(result),
                () = too_much.notified() => None,
            }
        };
        let Some(result) = result else {
            // it may go on for ever: the connection is not used again
            self.transport = None;
            let message = format!(
                "the node was asked what it is, and its answer did not end \
                within {} MiB",
                ANSWER >> 20
            );
            return Err(NodeError::new(message));
        };
        let code = result.map_err(|error| NodeError::new(error.to_string()))?;
        observe::parse(wanted, &token, &out).map_err(|error| NodeError {
            detail: noise.text(),
            ..NodeError::new(format!("the node could not be observed: {error} (exit code {code})"))
        })
    }
}

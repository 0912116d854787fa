//! Observes a node: asks for its facts and its state.

use super::session::{Gathered, Session};
use crate::engine::random_token::random_token;
use crate::engine::{Engine, NodeError};
use crate::observe;
use crate::observe::Observation;
use crate::transport::TransportError;

/// Maximum size of a node's answer to an observation, in bytes. The whole answer is held in memory,
/// for each node that is being asked.
const ANSWER: usize = 64 << 20;

/// Why an observation failed.
pub(in crate::engine) enum AskError {
    /// The node could not be reached, or the connection broke.
    Transport(TransportError),
    /// The node's answer is invalid.
    Answer(NodeError),
}

impl Session {
    /// Asks the node for an observation, and for its facts.
    pub(in crate::engine) async fn ask(
        &mut self,
        engine: &Engine,
        wanted: &Observation,
    ) -> Result<observe::Observed, AskError> {
        let token = random_token();
        let script = observe::compile(wanted, &token);
        if !self.step.starts_with("phase ") {
            self.step = "the observation".to_owned();
        }
        let gathered = self.gather(engine, &script, ANSWER).await.map_err(AskError::Transport)?;
        let Gathered::Whole { code, output, errors } = gathered else {
            return Err(AskError::Answer(NodeError::new(format!(
                "the node's answer to the observation exceeds {} MiB",
                ANSWER >> 20
            ))));
        };
        observe::parse(wanted, &token, &output).map_err(|error| {
            let message = format!("the node could not be observed: {error} (exit code {code})");
            AskError::Answer(NodeError { detail: errors.text(), ..NodeError::new(message) })
        })
    }
}

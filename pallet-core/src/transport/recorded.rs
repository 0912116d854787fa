//! A transport for tests that replays recorded answers.

use std::collections::VecDeque;

use async_trait::async_trait;

use super::input::Feed;
use super::markers::{LOGIN_SHELL, MARKER, READER};
use super::{Input, Output, Stream, Transport, TransportError};

/// Replays answers in order. Each command, or its input, must contain the text of its answer.
#[derive(Debug, Default)]
pub struct Recorded {
    answers: VecDeque<Answer>,
    seen: Vec<String>,
}

#[derive(Debug)]
struct Answer {
    holds: String,
    reply: Result<(String, String, i32), TransportError>,
}

impl Recorded {
    /// Creates a transport without answers.
    pub fn new() -> Self {
        Recorded::default()
    }

    /// Expects a command that contains `text`, itself or in its input. It prints `output` and
    /// succeeds.
    pub fn answer(self, text: &str, output: &str) -> Self {
        self.answer_with(text, output, "", 0)
    }

    /// Expects a command that contains `text`, itself or in its input. It prints `output` and
    /// `errors` and exits with `code`.
    pub fn answer_with(mut self, text: &str, output: &str, errors: &str, code: i32) -> Self {
        self.answers.push_back(Answer {
            holds: text.to_owned(),
            reply: Ok((output.to_owned(), errors.to_owned(), code)),
        });
        self
    }

    /// Makes the connection fail at the next command, which must contain `text`.
    pub fn fail(mut self, text: &str, error: TransportError) -> Self {
        self.answers.push_back(Answer { holds: text.to_owned(), reply: Err(error) });
        self
    }

    /// The commands so far, each with a line feed and its input.
    pub fn seen(&self) -> &[String] {
        &self.seen
    }

    /// The number of unused answers.
    pub fn left(&self) -> usize {
        self.answers.len()
    }
}

#[async_trait]
impl Transport for Recorded {
    async fn exec(
        &mut self,
        command: &str,
        input: Input,
        output: &mut Output<'_>,
    ) -> Result<i32, TransportError> {
        let mut text = format!("{command}\n").into_bytes();
        let mut feed = Feed::new(input);
        loop {
            match (feed.next().await?, feed.gate()) {
                (Some(chunk), _) => text.extend(chunk),
                (None, Some(gate)) => gate.open(),
                (None, None) => break,
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        self.seen.push(text.clone());
        let unexpected =
            |message: String| TransportError::Start { host: "a recorded node".to_owned(), message };
        let answer = self
            .answers
            .pop_front()
            .ok_or_else(|| unexpected(format!("nothing is recorded for it:\n{text}")))?;
        if !text.contains(&answer.holds) {
            return Err(unexpected(format!("`{}` should come next, not:\n{text}", answer.holds)));
        }
        let (out, err, code) = answer.reply?;
        // Recordings omit the marker that a real shell prints before a script's output.
        let marker = if command.contains(READER) || command == LOGIN_SHELL { MARKER } else { "" };
        for (stream, text) in [(Stream::Out, out), (Stream::Err, err)] {
            let text = format!("{marker}{text}");
            if !text.is_empty() {
                output(stream, text.as_bytes());
            }
        }
        Ok(code)
    }

    async fn close(&mut self) {}

    fn peer(&self) -> &str {
        "a recorded node"
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Become, Stream, run_script};
    use super::Recorded;

    #[tokio::test]
    async fn answers_in_order_and_refuses_what_is_not_recorded() {
        let mut node =
            Recorded::new().answer("uname", "Linux\n").answer_with("false", "", "no\n", 1);
        let mut said = String::new();
        for (script, code) in [("uname -s", 0), ("false", 1)] {
            let mut listen = |stream, bytes: &[u8]| {
                said.push_str(&format!("{stream:?} {}", String::from_utf8_lossy(bytes)))
            };
            assert_eq!(
                run_script(&mut node, &Become::Root(None), script, &mut listen)
                    .await
                    .expect("it is recorded"),
                code
            );
        }
        assert_eq!(said, "Out Linux\nErr no\n");
        assert_eq!((node.seen().len(), node.left()), (2, 0));
        assert!(
            run_script(&mut node, &Become::Login, "true", &mut |_, _: &[u8]| {}).await.is_err()
        );
        let mut node = Recorded::new().answer("uname", "");
        let error = run_script(&mut node, &Become::Login, "date", &mut |_: Stream, _: &[u8]| {})
            .await
            .expect_err("another is due");
        assert!(error.to_string().contains("`uname` should come next"), "{error}");
    }
}

//! Prints lines, values and errors, for a person or for a program.

use std::io::{BufRead, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::format::OutputFormat;
use crate::diagnostic::Diagnostics;
use crate::process::{Failure, ProcessEnv};
use crate::terminal::{paint, short, written, written_json};

/// How often it is looked whether an answer is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Where and how to print. A reader that is gone (`| head`) is no error.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    output: OutputFormat,
    pub(crate) verbose: u8,
    pub(super) terminal: bool,
    /// Nothing is printed.
    silent: bool,
    /// Some of the result could not be written.
    lost: Arc<AtomicBool>,
}

impl Printer {
    pub(crate) fn new(output: OutputFormat, verbose: u8, env: &ProcessEnv) -> Self {
        Printer {
            output,
            verbose,
            terminal: env.terminal && output == OutputFormat::Text,
            silent: false,
            lost: Arc::default(),
        }
    }

    /// A printer that prints nothing.
    pub(crate) fn silent() -> Self {
        Printer {
            output: OutputFormat::Text,
            verbose: 0,
            terminal: false,
            silent: true,
            lost: Arc::default(),
        }
    }

    /// Whether some of the result could not be written: what was asked for did not reach whoever
    /// asked.
    pub(crate) fn lost_output(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether a program reads.
    pub(crate) fn json(&self) -> bool {
        self.output == OutputFormat::Json
    }

    /// Whether a person's terminal takes colours.
    pub(crate) fn colour(&self) -> bool {
        self.terminal
    }

    /// Whether what a command prints on so many nodes is shown line by line while it runs.
    pub(crate) fn shows_lines(&self, nodes: usize) -> bool {
        !self.json() && (self.verbose > 0 || nodes == 1 && self.terminal)
    }

    /// What the project's own files print.
    pub(crate) fn said(&self, line: &str) {
        match self.json() {
            true => self.value(&json!({"event": "print", "message": line})),
            false => self.note(line),
        }
    }

    /// What an input of a session prints.
    pub(crate) fn printed(&self, line: &str) {
        match self.json() {
            true => self.value(&json!({"event": "print", "message": line})),
            false => self.line(line),
        }
    }

    /// A line of the result.
    pub(crate) fn line(&self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// Text of the result, with its own line ends.
    pub(crate) fn text(&self, text: &str) {
        self.raw(written(text).as_bytes());
    }

    /// Bytes that are not for a person: a protocol, a file.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        if self.silent {
            return;
        }
        let mut out = std::io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush())
            && error.kind() != ErrorKind::BrokenPipe
            && !self.lost.swap(true, Ordering::Relaxed)
        {
            self.note(&format!(
                "{} cannot write the output: {error}",
                self.paint("error:", "31;1")
            ));
        }
    }

    /// A value of the result, for a program.
    pub(crate) fn value(&self, value: &Value) {
        self.raw(format!("{}\n", written_json(&value.to_string())).as_bytes());
    }

    /// What goes on, for a person.
    pub(crate) fn status(&self, line: &str) {
        if !self.json() {
            self.note(line);
        }
    }

    /// Something that went wrong and does not end the command.
    pub(crate) fn warning(&self, message: &str) {
        match self.json() {
            true => self.value(&json!({"event": "warning", "node": null, "message": message})),
            false => self.aside(message),
        }
    }

    /// A warning that is not part of the output. A program that wants one value gets no other.
    pub(crate) fn aside(&self, message: &str) {
        self.note(&format!("{} {message}", self.paint("warning:", "33;1")));
    }

    /// What is wrong with the project and does not end the command.
    pub(crate) fn diagnostics(&self, diagnostics: &Diagnostics) {
        if diagnostics.0.is_empty() {
            return;
        }
        match self.json() {
            true => self.value(&json!({"event": "diagnostics", "diagnostics": diagnostics})),
            false => self.note(diagnostics.render(self.terminal).trim_end()),
        }
    }

    /// What ends the command.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let diagnostics = error.downcast_ref::<Diagnostics>();
        if self.json() {
            return self.value(&json!({
                "event": "error", "message": format!("{error:#}"), "diagnostics": diagnostics,
            }));
        }
        match diagnostics {
            Some(diagnostics) => self.note(diagnostics.render(self.terminal).trim_end()),
            None => {
                let text = match error.downcast_ref::<Failure>() {
                    Some(failure) => failure.message.clone(),
                    None => format!("{error:#}"),
                };
                self.note(&format!("{} {text}", self.paint("error:", "31;1")));
            }
        }
    }

    /// Asks a person, and gives the answer's line.
    pub(crate) fn ask(&self, question: &str) -> String {
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(written(question).as_bytes()).and_then(|()| err.flush());
        drop(err);
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        answer.trim().to_owned()
    }

    /// The same, unless it is told to stop; then there is no answer.
    pub(crate) fn ask_unless(&self, question: &str, stop: &dyn Fn() -> bool) -> Option<String> {
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(written(question).as_bytes()).and_then(|()| err.flush());
        drop(err);
        let stdin = std::io::stdin();
        while !stop() {
            let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
            // a signal ends the wait too
            if poll(&mut ready, Some(&LOOK)).is_ok_and(|ready| ready > 0) {
                let mut answer = String::new();
                let _ = stdin.lock().read_line(&mut answer);
                return Some(answer.trim().to_owned());
            }
        }
        let _ = std::io::stderr().lock().write_all(b"\n");
        None
    }

    /// A line beside the result.
    pub(super) fn note(&self, line: &str) {
        if self.silent {
            return;
        }
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(format!("{}\n", written(line)).as_bytes());
    }

    pub(super) fn paint(&self, text: &str, code: &str) -> String {
        if self.terminal { paint(text, code) } else { text.to_owned() }
    }

    /// A line of a difference: green where something comes, red where something goes.
    pub(super) fn diff_line(&self, line: &str) -> String {
        let line = short(line);
        match line.as_bytes().first() {
            Some(b'+') => self.paint(&line, "32"),
            Some(b'-') => self.paint(&line, "31"),
            _ => line.into_owned(),
        }
    }
}

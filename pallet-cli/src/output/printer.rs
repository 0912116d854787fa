//! Prints lines, values and errors, as text or JSON.

use std::borrow::Cow;
use std::io::{BufRead, ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::{Value, json};

use super::format::{ColorChoice, OutputFormat, PrintOptions};
use crate::diagnostic::Diagnostics;
use crate::process::{Failure, ProcessEnv};
use crate::terminal::{
    json_without_commands, paint, short, without_commands, written, written_json,
};

/// After this time, nothing is drawn any more where a question will stand.
const GONE: Duration = Duration::from_millis(300);

/// How often `ask_unless` checks whether an answer is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// Where and how to print. A closed pipe (`| head`) is not an error.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    output: OutputFormat,
    pub(crate) verbose: u8,
    /// Print only warnings, failures and results.
    pub(super) quiet: bool,
    /// Tell what happens on each node by itself.
    pub(super) per_node: bool,
    /// Show the diffs of changes that are made.
    pub(super) diff: bool,
    pub(super) terminal: bool,
    colours: bool,
    /// Print nothing.
    silent: bool,
    /// Print no result: it is printed otherwise.
    without_result: bool,
    /// Whether some of the result could not be written.
    lost: Arc<AtomicBool>,
    /// How many questions wait for an answer.
    questions: Arc<AtomicUsize>,
    /// Whether commands are looked for in the output.
    in_job: bool,
}

/// A question that waits for an answer.
pub(crate) struct Asking(Arc<AtomicUsize>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Printer {
    pub(crate) fn new(options: PrintOptions, env: &ProcessEnv) -> Self {
        let PrintOptions { output, color, verbose, quiet, per_node, diff } = options;
        let text = output == OutputFormat::Text;
        Printer {
            output,
            verbose,
            quiet,
            per_node,
            diff,
            terminal: env.terminal && text,
            colours: text
                && match color {
                    ColorChoice::Auto => env.terminal && env.colour,
                    ColorChoice::Always => true,
                    ColorChoice::Never => false,
                },
            in_job: env.in_job,
            silent: false,
            without_result: false,
            lost: Arc::default(),
            questions: Arc::default(),
        }
    }

    /// This printer in another format.
    pub(crate) fn with_format(&self, output: OutputFormat) -> Self {
        let terminal = self.terminal && output == OutputFormat::Text;
        Printer { output, terminal, ..self.clone() }
    }

    /// This printer without its result: only notes, warnings and errors are printed.
    pub(crate) fn without_result(&self) -> Self {
        Printer { without_result: true, terminal: false, ..self.clone() }
    }

    /// A printer that prints nothing.
    pub(crate) fn silent() -> Self {
        Printer {
            output: OutputFormat::Text,
            verbose: 0,
            quiet: false,
            per_node: false,
            diff: false,
            terminal: false,
            colours: false,
            in_job: false,
            silent: true,
            without_result: false,
            lost: Arc::default(),
            questions: Arc::default(),
        }
    }

    /// Whether some of the result could not be written, so that the user did not get it.
    pub(crate) fn lost_output(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether the output is JSON.
    pub(crate) fn json(&self) -> bool {
        self.output == OutputFormat::Json
    }

    /// Whether to use colours.
    pub(crate) fn colour(&self) -> bool {
        self.colours
    }

    /// Whether the output of a command on this many nodes is shown line by line while it runs.
    pub(crate) fn shows_lines(&self, nodes: usize) -> bool {
        !self.json() && (self.verbose > 0 || nodes == 1 && self.terminal)
    }

    /// Prints what the project's files print.
    pub(crate) fn said(&self, line: &str) {
        match self.json() {
            true => self.value(&json!({"event": "print", "message": line})),
            false => self.note(line),
        }
    }

    /// Prints what an input of a session prints.
    pub(crate) fn printed(&self, line: &str) {
        match self.json() {
            true => self.value(&json!({"event": "print", "message": line})),
            false => self.line(line),
        }
    }

    /// Prints a line of the result.
    pub(crate) fn line(&self, line: &str) {
        self.text(&format!("{line}\n"));
    }

    /// Prints text of the result, which has its own line ends.
    pub(crate) fn text(&self, text: &str) {
        self.raw(self.safe(text).as_bytes());
    }

    /// Writes bytes that are not text for a person: a protocol, a file.
    pub(crate) fn raw(&self, bytes: &[u8]) {
        if self.silent || self.without_result {
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

    /// Prints a JSON value of the result.
    pub(crate) fn value(&self, value: &Value) {
        let json = value.to_string();
        let mut json = written_json(&json);
        if self.in_job {
            json = json_without_commands(&json).into();
        }
        self.raw(format!("{json}\n").as_bytes());
    }

    /// Prints progress, unless the output is JSON.
    pub(crate) fn status(&self, line: &str) {
        if !self.json() && !self.quiet {
            self.note(line);
        }
    }

    /// Prints a problem that does not end the command.
    pub(crate) fn warning(&self, message: &str) {
        match self.json() {
            true => self.value(&json!({"event": "warning", "node": null, "message": message})),
            false => self.aside(message),
        }
    }

    /// Prints a warning on stderr, also in JSON mode: programs that expect a single value get no
    /// other.
    pub(crate) fn aside(&self, message: &str) {
        self.note(&format!("{} {message}", self.paint("warning:", "33;1")));
    }

    /// Prints errors and warnings of the project that do not end the command.
    pub(crate) fn diagnostics(&self, diagnostics: &Diagnostics) {
        if diagnostics.0.is_empty() {
            return;
        }
        match self.json() {
            true => self.value(&json!({"event": "diagnostics", "diagnostics": diagnostics})),
            false => self.note(diagnostics.render(self.colours).trim_end()),
        }
    }

    /// Prints the error that ends the command.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        let diagnostics = error.downcast_ref::<Diagnostics>();
        if self.json() {
            return self.value(&json!({
                "event": "error", "message": format!("{error:#}"), "diagnostics": diagnostics,
            }));
        }
        match diagnostics {
            Some(diagnostics) => self.note(diagnostics.render(self.colours).trim_end()),
            None => {
                let text = match error.downcast_ref::<Failure>() {
                    Some(failure) => failure.message.clone(),
                    None => format!("{error:#}"),
                };
                self.note(&format!("{} {text}", self.paint("error:", "31;1")));
            }
        }
    }

    /// Keeps the terminal free for a question.
    pub(crate) fn asking(&self) -> Asking {
        self.questions.fetch_add(1, Ordering::Relaxed);
        if self.terminal {
            // until what is drawn there is gone
            std::thread::sleep(GONE);
        }
        Asking(self.questions.clone())
    }

    pub(super) fn is_asking(&self) -> bool {
        self.questions.load(Ordering::Relaxed) > 0
    }

    /// Asks the user, and returns the answer.
    pub(crate) fn ask(&self, question: &str) -> String {
        let _asking = self.asking();
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(written(question).as_bytes()).and_then(|()| err.flush());
        drop(err);
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        answer.trim().to_owned()
    }

    /// Like [`ask`](Self::ask), but returns `None` as soon as `stop` does.
    pub(crate) fn ask_unless(&self, question: &str, stop: &dyn Fn() -> bool) -> Option<String> {
        let _asking = self.asking();
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(written(question).as_bytes()).and_then(|()| err.flush());
        drop(err);
        let stdin = std::io::stdin();
        while !stop() {
            let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
            // a signal also ends the wait
            if poll(&mut ready, Some(&LOOK)).is_ok_and(|ready| ready > 0) {
                let mut answer = String::new();
                let _ = stdin.lock().read_line(&mut answer);
                return Some(answer.trim().to_owned());
            }
        }
        let _ = std::io::stderr().lock().write_all(b"\n");
        None
    }

    /// Prints a line on stderr.
    pub(super) fn note(&self, line: &str) {
        if self.silent {
            return;
        }
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(format!("{}\n", self.safe(line)).as_bytes());
    }

    /// The text as it is printed for a person.
    fn safe<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let text = written(text);
        if self.in_job { without_commands(&text).into_owned().into() } else { text }
    }

    pub(super) fn paint(&self, text: &str, code: &str) -> String {
        if self.colours { paint(text, code) } else { text.to_owned() }
    }

    /// A line of a diff: green if added, red if removed.
    pub(super) fn diff_line(&self, line: &str) -> String {
        let line = short(line);
        match line.as_bytes().first() {
            Some(b'+') => self.paint(&line, "32"),
            Some(b'-') => self.paint(&line, "31"),
            _ => line.into_owned(),
        }
    }
}

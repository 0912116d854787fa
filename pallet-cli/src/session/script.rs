//! Runs a session: from a file, a pipe or a terminal.

use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::show::show;
use super::state::{Session, SessionMode};
use crate::console::{Editor, EditorInput, Unfinished, unfinished};
use crate::context::Context;
use crate::process::{INTERRUPTED, exit_code};
use crate::project::star::Inputs;

/// The prompt.
const PROMPT: &str = ">>> ";

/// Runs a file in a session of its own, and returns the exit code. `journal`: its operations are
/// written to the journal.
pub(crate) fn run_file(context: &Context, path: &Path, journal: bool) -> anyhow::Result<ExitCode> {
    let shown = path.display().to_string();
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let text = crate::project::utf8(&shown, bytes).map_err(crate::diagnostic::Diagnostics::from)?;
    let session = Session::open(context, SessionMode::Script, journal)?;
    let own = session.clone();
    let result = session.evaluating(move |inputs| own.input(inputs, &shown, &text).map(drop))?;
    Ok(ended(&session, context, result))
}

/// Evaluates stdin, input by input, up to the first error, and returns the exit code.
pub(crate) fn run_lines(context: &Context) -> anyhow::Result<ExitCode> {
    let session = Session::open(context, SessionMode::Piped, true)?;
    let own = session.clone();
    let result = session.evaluating(move |inputs| {
        let mut pending = Pending::default();
        let mut lines = std::io::stdin().lock().lines();
        loop {
            own.interrupt.read(true);
            let line = lines.next();
            own.interrupt.read(false);
            let Some(line) = line.transpose().context("cannot read standard input")? else { break };
            if pending.ends_before(&line) {
                own.piped(inputs, &mut pending)?;
            }
            pending.add(&line);
            if pending.is_whole() {
                own.piped(inputs, &mut pending)?;
            }
        }
        own.piped(inputs, &mut pending)
    })?;
    Ok(ended(&session, context, result))
}

/// Evaluates what the user types until they end the session, and returns the exit code.
pub(crate) fn run_interactive(context: &Context) -> anyhow::Result<ExitCode> {
    let session = Session::open(context, SessionMode::Interactive, true)?;
    let mut editor = Editor::new(&context.env.data.join("history"), context.env.colour)?;
    greet(context, &session);
    session.refresh_node_names();
    let own = session.clone();
    session.evaluating(move |inputs| {
        for number in 1.. {
            let text = match editor.read(PROMPT, own.scope(inputs))? {
                EditorInput::Input(text) => text,
                EditorInput::Nothing => continue,
                EditorInput::End => break,
            };
            let text = text.trim_start();
            if text.is_empty() {
                continue;
            }
            if let Err(error) = own.shown(inputs, &format!("input {number}"), text) {
                context.printer.error(&error);
            }
        }
        anyhow::Ok(())
    })??;
    Ok(ExitCode::SUCCESS)
}

fn greet(context: &Context, session: &Arc<Session>) {
    let project = &session.loaded().project;
    let groups: Vec<&str> = project.groups.iter().map(|group| group.name.as_str()).collect();
    let groups = if groups.is_empty() {
        "no groups".to_owned()
    } else {
        format!("groups: {}", groups.join(", "))
    };
    context.printer.line(&format!(
        "Pallet {}, project {}; {groups}",
        env!("CARGO_PKG_VERSION"),
        project.name
    ));
    context.printer.line("help() lists the functions; Tab completes; Ctrl-D quits");
}

impl Session {
    /// Evaluates an input and shows its value.
    fn shown(&self, inputs: &mut Inputs<'_, '_>, file: &str, code: &str) -> anyhow::Result<()> {
        let value = self.input(inputs, file, code)?;
        show(&self.base.printer, value, self.is_shown());
        Ok(())
    }

    fn piped(&self, inputs: &mut Inputs<'_, '_>, pending: &mut Pending) -> anyhow::Result<()> {
        let (first, text) = pending.take();
        if text.trim().is_empty() {
            return Ok(());
        }
        // empty lines replace earlier inputs, so that line numbers are those of the whole stdin
        self.shown(inputs, "standard input", &format!("{}{text}", "\n".repeat(first)))
    }
}

/// The exit code of a session.
fn ended(session: &Session, context: &Context, result: anyhow::Result<()>) -> ExitCode {
    ExitCode::from(match result {
        Ok(()) => session.worst(),
        Err(error) => {
            context.printer.error(&error);
            match (session.worst(), exit_code(&error)) {
                (INTERRUPTED, _) | (_, INTERRUPTED) => INTERRUPTED,
                (0, code) => code,
                (worst, _) => worst,
            }
        }
    })
}

/// Lines that have not been evaluated yet.
#[derive(Default)]
struct Pending {
    text: String,
    /// The number of lines before them.
    before: usize,
    lines: usize,
}

impl Pending {
    fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        self.lines += 1;
    }

    /// Whether they are complete, whatever follows.
    fn is_whole(&self) -> bool {
        unfinished(&self.text) == Unfinished::Whole
    }

    /// Whether the next line ends a block in them.
    fn ends_before(&self, next: &str) -> bool {
        let branch = ["else", "elif"].iter().any(|word| next.starts_with(word));
        let goes_on = next.trim().is_empty() || next.starts_with([' ', '\t', '#']) || branch;
        unfinished(&self.text) == Unfinished::Block && !goes_on
    }

    fn take(&mut self) -> (usize, String) {
        let before = self.before;
        self.before += std::mem::take(&mut self.lines);
        (before, std::mem::take(&mut self.text))
    }
}

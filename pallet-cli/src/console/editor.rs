//! The line editor.

use std::borrow::Cow;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustyline::completion::{Completer, Pair};
use rustyline::config::{BellStyle, ColorMode, CompletionType};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Helper};

use super::unfinished::{Unfinished, unfinished};
use crate::project::star::complete::{CandidateKind, CompletionScope, complete, is_keyword};
use crate::project::star::tokens::{TokenKind, tokens};

/// Maximum number of inputs in the history.
const REMEMBERED: usize = 5000;

/// The indentation of a block.
const INDENT: &str = "    ";

/// Reads what a user types at the prompt.
pub(crate) struct Editor {
    editor: rustyline::Editor<Assistant, FileHistory>,
    history: PathBuf,
    colour: bool,
}

/// What the user did at the prompt.
pub(crate) enum EditorInput {
    /// Entered an input, possibly of several lines.
    Input(String),
    /// Discarded the line.
    Nothing,
    /// Ended the session.
    End,
}

impl Editor {
    /// Creates an editor that keeps its history in this file.
    pub(crate) fn new(history: &Path, colour: bool) -> anyhow::Result<Self> {
        let config = Config::builder()
            .max_history_size(REMEMBERED)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .bell_style(BellStyle::None)
            .color_mode(if colour { ColorMode::Enabled } else { ColorMode::Disabled })
            .tab_stop(4)
            .bracketed_paste(true)
            .build();
        let mut editor =
            rustyline::Editor::with_config(config).context("cannot use the terminal")?;
        editor.set_helper(Some(Assistant { scope: CompletionScope::default(), colour }));
        if let Some(directory) = history.parent() {
            // if the directory cannot be written, there is no history
            let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        }
        let _ = editor.load_history(history);
        Ok(Editor { editor, history: history.to_owned(), colour })
    }

    /// Reads an input; `scope` has the names for completion.
    pub(crate) fn read(
        &mut self,
        prompt: &str,
        scope: CompletionScope,
    ) -> anyhow::Result<EditorInput> {
        if let Some(assistant) = self.editor.helper_mut() {
            assistant.scope = scope;
        }
        let styled =
            if self.colour { format!("\x1b[1;34m{prompt}\x1b[0m") } else { prompt.to_owned() };
        match self.editor.readline(&(prompt, styled)) {
            Ok(text) => {
                // written at once, so that a session that is killed loses nothing
                let kept = self.editor.add_history_entry(text.trim_end_matches('\n'));
                if kept.unwrap_or(false) {
                    let _ = self.editor.append_history(&self.history);
                }
                Ok(EditorInput::Input(text))
            }
            Err(ReadlineError::Interrupted) => Ok(EditorInput::Nothing),
            Err(ReadlineError::Eof) => Ok(EditorInput::End),
            Err(error) => Err(anyhow::Error::new(error).context("cannot read from the terminal")),
        }
    }
}

/// Completes, validates and highlights a line while the user types.
struct Assistant {
    scope: CompletionScope,
    colour: bool,
}

impl Helper for Assistant {}

impl rustyline::hint::Hinter for Assistant {
    type Hint = String;
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _context: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let row = line[..at].rsplit('\n').next().unwrap_or_default();
        if row.trim().is_empty() && (!row.is_empty() || at > 0) {
            return Ok((at, vec![Pair { display: String::new(), replacement: INDENT.to_owned() }]));
        }
        let completion = complete(line, at, &self.scope);
        // keywords are short to type, and would hide the names
        let named = completion.candidates.iter().any(|one| one.kind != CandidateKind::Keyword);
        let candidates = completion
            .candidates
            .into_iter()
            .filter(|one| !named || one.kind != CandidateKind::Keyword);
        // a completed string also gets its closing quote
        let quote = line[..completion.from]
            .chars()
            .last()
            .filter(|last| matches!(last, '"' | '\'') && !line[at..].starts_with(*last));
        let pair = |text: String| Pair {
            display: text.trim_end().to_owned(),
            replacement: text + &String::from_iter(quote),
        };
        Ok((completion.from, candidates.map(|one| pair(one.text)).collect()))
    }
}

impl Validator for Assistant {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        Ok(match unfinished(text) {
            Unfinished::Whole => ValidationResult::Valid(None),
            // an empty line ends a block
            Unfinished::Block
                if text.rsplit('\n').next().is_some_and(|last| last.trim().is_empty()) =>
            {
                ValidationResult::Valid(None)
            }
            Unfinished::Block | Unfinished::Open => ValidationResult::Incomplete,
        })
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _at: usize) -> Cow<'l, str> {
        if !self.colour {
            return Cow::Borrowed(line);
        }
        let (mut out, mut at) = (String::with_capacity(line.len() + 32), 0);
        for token in tokens(line) {
            let text = token.text(line);
            let code = match token.kind {
                TokenKind::String { .. } => "32",
                TokenKind::Comment => "2",
                TokenKind::Word if is_keyword(text) => "35",
                TokenKind::Word if text.starts_with(|first: char| first.is_ascii_digit()) => "36",
                _ => continue,
            };
            out.push_str(&line[at..token.range.start]);
            out.push_str(&format!("\x1b[{code}m{text}\x1b[0m"));
            at = token.range.end;
        }
        out.push_str(&line[at..]);
        Cow::Owned(out)
    }

    fn highlight_char(&self, _line: &str, _at: usize, kind: CmdKind) -> bool {
        self.colour && kind != CmdKind::MoveCursor
    }
}

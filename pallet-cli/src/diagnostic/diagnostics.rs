//! Errors and warnings of a project: the place, the line, and a suggestion.

use std::fmt::{self, Write as _};

use serde::Serialize;
use unicode_width::UnicodeWidthChar;

use super::source_span::SourceSpan;
use crate::terminal::paint;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// The project cannot be used.
    Error,
    /// The project can be used, but is probably not what the user meant.
    Warning,
}

/// Additional information, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Note {
    /// The text.
    pub(crate) message: String,
    /// The place, if there is one.
    #[serde(flatten)]
    pub(crate) place: Option<SourceSpan>,
}

/// One error or warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Diagnostic {
    /// Error or warning.
    pub(crate) severity: Severity,
    /// What is wrong, in one line.
    pub(crate) message: String,
    /// Where.
    #[serde(flatten)]
    pub(crate) place: Option<Box<SourceSpan>>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) suggestion: Option<String>,
    /// More about it, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<Note>,
}

/// All errors and warnings, in the order of the files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(crate) struct Diagnostics(pub(crate) Vec<Diagnostic>);

/// The message about an unknown name.
pub(crate) fn unknown_name(name: &str) -> String {
    format!("there is no `{name}`")
}

impl Diagnostic {
    /// An error.
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            message: message.into(),
            place: None,
            suggestion: None,
            notes: Vec::new(),
        }
    }

    /// The unknown name, if the message is that of [`unknown_name`].
    pub(crate) fn unknown_name(&self) -> Option<&str> {
        self.message.strip_prefix("there is no `")?.strip_suffix('`')
    }

    /// A warning.
    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Self::error(message) }
    }

    /// Sets the place.
    pub(crate) fn at(mut self, place: impl Into<Option<SourceSpan>>) -> Self {
        self.place = place.into().map(Box::new);
        self
    }

    /// Sets the suggestion.
    pub(crate) fn suggest(mut self, suggestion: impl Into<Option<String>>) -> Self {
        self.suggestion = suggestion.into();
        self
    }

    /// Adds a note.
    pub(crate) fn note(
        mut self,
        message: impl Into<String>,
        place: impl Into<Option<SourceSpan>>,
    ) -> Self {
        self.notes.push(Note { message: message.into(), place: place.into() });
        self
    }

    /// The message and the suggestion in one line, without the place.
    pub(crate) fn one_line(&self) -> String {
        match &self.suggestion {
            Some(suggestion) => format!("{}; {suggestion}", self.message),
            None => self.message.clone(),
        }
    }

    /// The text for a person, with the source line and a caret. `colour` is for terminals.
    pub(crate) fn render(&self, colour: bool) -> String {
        let paint = Paint(colour);
        let (word, code) = match self.severity {
            Severity::Error => ("error", "1;31"),
            Severity::Warning => ("warning", "1;33"),
        };
        let mut out = format!(
            "{}{}\n",
            paint.in_colour(code, word),
            paint.in_colour("1", &format!(": {}", self.message))
        );
        let width = self
            .place
            .as_deref()
            .into_iter()
            .chain(self.notes.iter().filter_map(|note| note.place.as_ref()));
        let width = width.map(|place| place.line.to_string().len()).max().unwrap_or(1);
        let margin = " ".repeat(width);
        if let Some(place) = &self.place {
            excerpt(&mut out, place, &margin, '^', &paint, code);
        }
        for note in &self.notes {
            let _ = writeln!(out, "{margin} {} {}", paint.in_colour("1;34", "="), note.message);
            if let Some(place) = &note.place {
                excerpt(&mut out, place, &margin, '-', &paint, "1;34");
            }
        }
        if let Some(suggestion) = &self.suggestion {
            let _ = writeln!(out, "{margin} {} help: {suggestion}", paint.in_colour("1;34", "="));
        }
        out
    }
}

/// Maximum number of diagnostics that are rendered; the first ones are the ones to fix.
const TOLD: usize = 30;

/// Maximum number of characters shown of a line.
const WIDTH: usize = 160;

fn excerpt(
    out: &mut String,
    place: &SourceSpan,
    margin: &str,
    mark: char,
    paint: &Paint,
    code: &str,
) {
    // of a long line, only the part around the place is shown
    let length = place.excerpt.chars().count();
    let column = place.column as usize - 1;
    let from =
        if length <= WIDTH { 0 } else { column.saturating_sub(WIDTH / 2).min(length - WIDTH) };
    let line: String = place.excerpt.chars().skip(from).take(WIDTH).collect();
    let (before, after) =
        (if from > 0 { "..." } else { "" }, if from + WIDTH < length { "..." } else { "" });
    // tabs stay tabs, so that the caret is below its character at any tab width
    let ahead = column.saturating_sub(from);
    let pad = before.chars().chain(line.chars().take(ahead));
    let pad: String = pad
        .map(|c| if c == '\t' { c.to_string() } else { " ".repeat(c.width().unwrap_or_default()) })
        .collect();
    let bar = paint.in_colour("1;34", "|");
    let number = format!("{:>width$}", place.line, width = margin.len());
    let marked = line.chars().skip(ahead).take(place.length as usize);
    let marks: usize = marked.map(|c| c.width().unwrap_or(1)).sum();
    let marks = mark.to_string().repeat(marks.max(1));
    let _ = writeln!(out, "{margin}{} {place}", paint.in_colour("1;34", "-->"));
    let _ = writeln!(out, "{margin} {bar}");
    let _ = writeln!(
        out,
        "{}",
        format!("{} {bar} {before}{line}{after}", paint.in_colour("1;34", &number)).trim_end()
    );
    let _ = writeln!(out, "{margin} {bar} {pad}{}", paint.in_colour(code, &marks));
}

struct Paint(bool);

impl Paint {
    fn in_colour(&self, code: &str, text: &str) -> String {
        if self.0 { paint(text, code) } else { text.to_owned() }
    }
}

impl Diagnostics {
    /// Whether any of them is an error.
    pub(crate) fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The texts for a person, one after the other.
    pub(crate) fn render(&self, colour: bool) -> String {
        let mut told: Vec<_> =
            self.0.iter().take(TOLD).map(|diagnostic| diagnostic.render(colour)).collect();
        if self.0.len() > TOLD {
            told.push(format!("{} more are not shown; fix these first\n", self.0.len() - TOLD));
        }
        told.join("\n")
    }

    /// Adds one.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostic {}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Diagnostics(vec![diagnostic])
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<I: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: I) {
        self.0.extend(diagnostics);
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Diagnostics {}

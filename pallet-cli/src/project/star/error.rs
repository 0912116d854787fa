//! Converts errors of Starlark to Pallet's messages.

use starlark::ErrorKind;
use starlark::errors::Frame;

use super::eval_context::place;
use super::function_error::FunctionError;
use super::limits::{DEPTH, Limits, too_much_memory};
use super::table::{ENVIRONMENT, FACTS, how_to_declare, how_to_set, no_key};
use crate::diagnostic::{Diagnostic, SourceSpan, unknown_name};

/// The diagnostic for an evaluation error. `fallback` is used if the error has no place.
pub(crate) fn diagnose(
    error: &starlark::Error,
    what: &str,
    limits: Limits,
    fallback: Option<SourceSpan>,
) -> Diagnostic {
    let frames = &error.call_stack().frames;
    let (message, help) = explain(error.kind(), frames, what, limits);
    let innermost = frames.iter().rev().find_map(|frame| frame.location.as_ref());
    let at = error.span().or(innermost).map(place).or(fallback).filter(|at| at.line > 0);
    let (message, help) = in_environment(message, help, at.as_ref());
    let mut diagnostic = Diagnostic::error(message).at(at.clone()).suggest(help);
    // the call stack, innermost first, without the place that is shown anyway
    let calls = frames
        .iter()
        .rev()
        .filter_map(|frame| Some((frame.name.as_str(), place(frame.location.as_ref()?))));
    let mut shown = 0;
    for (name, call) in calls {
        if at.as_ref().is_some_and(|at| at.line == call.line && at.file == call.file) {
            continue;
        }
        if shown == 4 {
            diagnostic = diagnostic.note("and so on", None);
            break;
        }
        shown += 1;
        diagnostic = diagnostic.note(format!("in {name}, called at {call}"), None);
    }
    diagnostic
}

/// Starlark reports a missing key as a missing attribute. In most cases it is an environment value
/// or a fact.
fn in_environment(
    message: String,
    help: Option<String>,
    at: Option<&SourceSpan>,
) -> (String, Option<String>) {
    let key = message
        .strip_prefix("object of type `table` has no attribute `")
        .and_then(|rest| rest.strip_suffix('`'));
    match (key, at) {
        (Some(key), Some(at)) if at.excerpt.contains(&format!("environment.{key}")) => {
            (no_key(ENVIRONMENT, key), help.or_else(|| Some(how_to_set(key))))
        }
        (Some(key), Some(at)) if at.excerpt.contains(&format!("request.facts.{key}")) => {
            (no_key(FACTS, key), Some(how_to_declare(key)))
        }
        (Some(key), _) => (no_key("the table", key), help),
        _ => (message, help),
    }
}

fn explain(
    kind: &ErrorKind,
    frames: &[Frame],
    what: &str,
    limits: Limits,
) -> (String, Option<String>) {
    let function = frames
        .iter()
        .rev()
        .map(|frame| frame.name.as_str())
        .find(|name| *name != "None" && !name.starts_with('<'));
    match kind {
        ErrorKind::Fail(error) => {
            (error.to_string().trim_start_matches("fail:").trim().to_owned(), None)
        }
        ErrorKind::StackOverflow(_) => {
            let message = format!(
                "{} recurses too deep: more than {DEPTH} nested calls",
                function.unwrap_or(what)
            );
            (message, Some("does it recurse endlessly?".to_owned()))
        }
        ErrorKind::Other(error) | ErrorKind::Native(error) => match error
            .downcast_ref::<FunctionError>()
        {
            Some(complaint) => (complaint.message.clone(), complaint.help.clone()),
            None => match error.to_string().as_str() {
                "Evaluation cancelled" => {
                    let message =
                        format!("{} was stopped after {:?}", function.unwrap_or(what), limits.time);
                    (message, Some("does it contain an endless loop?".to_owned()))
                }
                text if text.starts_with("Heap memory limit") => {
                    let complaint = too_much_memory();
                    (complaint.message, complaint.help)
                }
                text => reworded(text),
            },
        },
        ErrorKind::Value(error)
        | ErrorKind::Function(error)
        | ErrorKind::Scope(error)
        | ErrorKind::Parser(error)
        | ErrorKind::Freeze(error)
        | ErrorKind::Internal(error) => reworded(&error.to_string()),
        other => reworded(&other.to_string()),
    }
}

/// A message of Starlark in one line, with its suggestion separated.
pub(crate) fn reworded(text: &str) -> (String, Option<String>) {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (message, suggestion) = match line.split_once(", did you mean ") {
        Some((message, word)) => (message.to_owned(), Some(format!("did you mean {word}"))),
        None => (line, None),
    };
    let between = |before: &str, after: &str| {
        message.strip_prefix(before).and_then(|rest| rest.strip_suffix(after))
    };
    let message = if let Some(name) = between("Variable `", "` not found") {
        unknown_name(name)
    } else if let Some(rest) = between("Parse error: ", "") {
        format!("syntax error: {rest}")
    } else {
        lower_case(&message)
    };
    (message, suggestion)
}

fn lower_case(text: &str) -> String {
    let mut letters = text.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_owned(),
    }
}

//! An error on a node, with its place: the same everywhere.

use std::fmt::Write;

use pallet_core::engine::NodeError;

use super::printer::Printer;
use crate::terminal::visible;

/// Writes an error below a heading, with the place that declared it and its output.
pub(super) fn failure(out: &mut String, printer: &Printer, heading: &str, error: &NodeError) {
    let _ = writeln!(out, "\n{} {}", printer.paint(heading, "31;1"), visible(&error.message));
    let place: Vec<String> = [
        error.phase.as_ref().map(|phase| format!("phase {phase}")),
        error.action.as_ref().map(|action| visible(action).into_owned()),
        error.source.as_ref().map(|source| format!("declared at {source}")),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !place.is_empty() {
        let _ = writeln!(out, "  in {}", place.join(", "));
    }
    // the detail of a Starlark error repeats the message, which is above already
    for line in error.detail.lines().filter(|line| !line.contains(&error.message)) {
        // the source line may contain our colours; other control characters are escaped when
        // printed
        let _ = writeln!(out, "  | {line}");
    }
}

//! What went wrong on a node, and where: the same wherever it is told.

use std::fmt::Write;

use pallet_core::engine::NodeError;

use super::printer::Printer;
use crate::terminal::visible;

/// An error below a heading, with where it was declared and what was printed.
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
    // a mistake of the project is shown with its line; the message stands above already
    for line in error.detail.lines().filter(|line| !line.contains(&error.message)) {
        // the line of the project may be painted; what acts on a terminal is caught where all is
        // printed
        let _ = writeln!(out, "  | {line}");
    }
}

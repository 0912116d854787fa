//! How an operation ended, for a person: what failed and why, and a last line that counts.

use std::fmt::Write;

use pallet_core::engine::{NodeResult, Outcome};

use super::Printer;

/// The summary, with its line ends.
pub(super) fn summary(printer: &Printer, outcome: &Outcome, dry_run: bool, seconds: f64) -> String {
    let mut out = String::new();
    for node in &outcome.nodes {
        let NodeResult::Failed { error, .. } = &node.result else { continue };
        let _ = writeln!(out, "\n{} {}", printer.paint(&format!("{} failed:", node.node), "31;1"), error.message);
        let place: Vec<String> = [
            error.phase.as_ref().map(|phase| format!("phase {phase}")),
            error.action.clone(),
            error.source.as_ref().map(|source| format!("declared at {source}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !place.is_empty() {
            let _ = writeln!(out, "  in {}", place.join(", "));
        }
        for line in error.detail.lines() {
            let _ = writeln!(out, "  | {line}");
        }
    }
    let (changed, unchanged, failed) = outcome.counts();
    let mut parts = Vec::new();
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    let would = |what: &str, done: &str| if dry_run { format!("would {what}") } else { done.to_owned() };
    count(outcome.created.len(), &would("be created", "created"));
    count(outcome.destroyed.len(), &would("be destroyed", "destroyed"));
    count(changed, &would("change", "changed"));
    count(unchanged, "unchanged");
    count(failed, "failed");
    let nodes = outcome.nodes.len();
    let nothing = outcome.created.is_empty() && outcome.destroyed.is_empty() && changed == 0 && failed == 0;
    let text = match (nothing, nodes) {
        (true, 0) => "no nodes; nothing to do".to_owned(),
        (true, nodes) => format!("nothing to change on {nodes} {}", if nodes == 1 { "node" } else { "nodes" }),
        (false, _) => format!("nodes: {}", parts.join(", ")),
    };
    let text = if outcome.cancelled { format!("stopped; {text}") } else { text };
    let code = if outcome.ok() { "32;1" } else { "31;1" };
    let _ = writeln!(out, "{} ({seconds:.1} s)", printer.paint(&text, code));
    out
}

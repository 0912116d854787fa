//! The summary of an operation, for a person: failures with their reasons, and a line of counts.

use std::collections::HashMap;
use std::fmt::Write;

use pallet_core::engine::{NodeError, NodeResult, Outcome};

use super::failure::failure;
use super::fold::{ErrorGroup, fold, names};
use super::printer::Printer;
use crate::terminal::visible;

/// Up to this many nodes are named individually.
const SHORT: usize = 10;

/// The summary, with its line ends.
pub(super) fn summary(printer: &Printer, outcome: &Outcome, dry_run: bool, seconds: f64) -> String {
    let mut out = String::new();
    let (told, left_out) = fold(failures(outcome), |error| error.to_string(), printer.verbose > 0);
    for ErrorGroup { error, nodes, alike } in told {
        let names = if nodes.len() <= SHORT { nodes.join(", ") } else { names(&nodes) };
        let like = if alike > 0 {
            format!(", {alike} of them with a similar error; -v shows all")
        } else {
            String::new()
        };
        failure(&mut out, printer, &format!("{names} failed{like}:"), error);
    }
    if left_out > 0 {
        let _ = writeln!(out, "\n{left_out} other nodes failed with other errors; -v shows all");
    }
    for (reason, nodes) in not_reached(outcome) {
        let names = if nodes.len() <= SHORT { nodes.join(", ") } else { names(&nodes) };
        let verb = if nodes.len() == 1 { "was" } else { "were" };
        let _ = writeln!(out, "{names} {verb} not reached: {}", visible(reason));
    }
    let (changed, unchanged, failed) = outcome.counts();
    let mut parts = Vec::new();
    let mut count = |number: usize, what: &str| {
        if number > 0 {
            parts.push(format!("{number} {what}"));
        }
    };
    let would =
        |what: &str, done: &str| if dry_run { format!("would {what}") } else { done.to_owned() };
    count(outcome.created.len(), &would("be created", "created"));
    count(outcome.destroyed.len(), &would("be destroyed", "destroyed"));
    count(changed, &would("change", "changed"));
    count(unchanged, "unchanged");
    count(failed, "failed");
    count(outcome.not_reached(), "not reached");
    let drifted = outcome.drifted();
    let nodes = outcome.nodes.len();
    let nothing = outcome.created.is_empty()
        && outcome.destroyed.is_empty()
        && changed + failed + outcome.not_reached() == 0;
    let text = match (nothing, nodes) {
        (true, 0) => "no nodes; nothing to do".to_owned(),
        (true, nodes) => {
            format!("nothing to change on {nodes} {}", if nodes == 1 { "node" } else { "nodes" })
        }
        (false, _) => format!("nodes: {}", parts.join(", ")),
    };
    let text = match drifted {
        0 if outcome.drift_only && failed == 0 => {
            format!("no drift on {nodes} {}", if nodes == 1 { "node" } else { "nodes" })
        }
        number if outcome.drift_only => {
            format!(
                "{number} changed since Pallet applied it; lift reverts that, and \
                 --overwrite-changes overwrites files changed by hand"
            )
        }
        0 => text,
        number => {
            format!(
                "{text}; {number} changed by hand and kept: --overwrite-changes overwrites them"
            )
        }
    };
    let text = if outcome.cancelled { format!("stopped; {text}") } else { text };
    let code = if outcome.ok() { "32;1" } else { "31;1" };
    let _ = writeln!(out, "{} ({seconds:.1} s)", printer.paint(&text, code));
    out
}

/// That this command shows all that a failed node printed; `only`: no other node failed.
pub(crate) fn whole_output(command: &str, only: bool) -> String {
    let whose = if only { "its output" } else { "the output of a failed node" };
    format!("`{}` shows all of {whose}", visible(command))
}

/// Why nodes were not reached, each reason once. An operation that was stopped says so anyway.
fn not_reached(outcome: &Outcome) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: Vec<(&str, Vec<&str>)> = Vec::new();
    for node in outcome.nodes.iter().filter(|_| !outcome.cancelled) {
        let NodeResult::NotReached { reason } = &node.result else { continue };
        match reasons.iter_mut().find(|(known, _)| known == reason) {
            Some((_, nodes)) => nodes.push(&node.node),
            None => reasons.push((reason, vec![&node.node])),
        }
    }
    reasons
}

/// The errors, each once, with all nodes that failed with it.
fn failures(outcome: &Outcome) -> Vec<(&NodeError, Vec<&str>)> {
    let mut failures: Vec<(&NodeError, Vec<&str>)> = Vec::new();
    let mut places: HashMap<_, Vec<usize>> = HashMap::new();
    for node in &outcome.nodes {
        let NodeResult::Failed { error, .. } = &node.result else { continue };
        let places = places.entry(error.message.as_str()).or_default();
        match places.iter().find(|place| failures[**place].0 == error) {
            Some(place) => failures[*place].1.push(&node.node),
            None => {
                places.push(failures.len());
                failures.push((error, vec![&node.node]));
            }
        }
    }
    failures
}

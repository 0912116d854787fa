//! Shows events and outcomes in one line each, for a program's log.

use std::fmt::{self, Write};

use super::copy_outcome::CopyResult;
use super::event::{Event, PlannedChange};
use super::outcome::{NodeError, NodeResult, Outcome, Totals};
use super::run_outcome::RunResult;
use crate::engine::selection::compact;
use crate::model::visible;

/// One line, without a line end. For more, read the event's fields, or write it as JSON.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = String::new();
        self.write(&mut line)?;
        // text from nodes and providers stays on one line, and cannot control the terminal
        f.write_str(&visible(&line))
    }
}

/// `1 node`, `2 nodes`.
pub(super) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Event {
    fn write(&self, f: &mut String) -> fmt::Result {
        match self {
            Event::Selected { nodes, of } => {
                let names = compact(nodes.iter().map(String::as_str)).join(", ");
                write!(f, "{} of {}: {names}", nodes.len(), counted(*of, "node"))
            }
            Event::Started { kind, nodes, dry_run } => {
                let dry_run = if *dry_run { " (dry run)" } else { "" };
                write!(f, "{kind}{dry_run} on {}", counted(nodes.len(), "node"))
            }
            Event::Creating { node, image, .. } => match image {
                Some(image) => write!(f, "{node}: is being created from {image}"),
                None => write!(f, "{node}: is being created"),
            },
            Event::Created { node, address, started, .. } => {
                let what = if *started { "started" } else { "created" };
                write!(
                    f,
                    "{node}: {what}{}",
                    address.as_ref().map(|address| format!(", {address}")).unwrap_or_default()
                )
            }
            Event::NotCreated { node, error, .. } => {
                write!(f, "{node}: could not be created: {error}")
            }
            Event::Destroying { node, .. } => write!(f, "{node}: is being destroyed"),
            Event::Destroyed { node, .. } => write!(f, "{node}: destroyed"),
            Event::Sharing { group } => write!(f, "group {group}: updating what its nodes share"),
            Event::Tagging { node, .. } => write!(f, "{node}: is being marked at its provider"),
            Event::CleaningUp => f.write_str("removing what the service keeps apart from nodes"),
            Event::Resumed { resumes } => write!(f, "resuming operation {resumes}"),
            Event::Inputs { files, .. } => write!(f, "{} local files are used", files.len()),
            Event::WaveStarted { wave, waves, nodes } => {
                write!(f, "wave {wave} of {waves}: {}", nodes.join(", "))
            }
            Event::WaveFinished { wave, waves, failed } => {
                write!(f, "wave {wave} of {waves} is done, {} failed", failed.len())
            }
            Event::Connected { node } => write!(f, "{node}: connected"),
            Event::Applying { node, phase, actions, .. } => {
                write!(f, "{node}: {phase}: applying {}", counted(*actions, "change"))
            }
            Event::NodeDone { node, .. } => write!(f, "{node}: done"),
            Event::Phases { phases } => {
                let phases: Vec<_> = phases.iter().map(|one| one.phase.as_str()).collect();
                write!(f, "phases: {}", phases.join(", "))
            }
            Event::PhaseFinished { node, phase, changes, ok } => {
                let failed = if *ok { "" } else { ", failed" };
                write!(f, "{node}: phase {phase} ended: {}{failed}", counted(*changes, "change"))
            }
            Event::PhaseStarted { node, phase, actions } => {
                write!(f, "{node}: {phase} of {}", counted(*actions, "action"))
            }
            Event::Planned(change) => write!(f, "{}: would change: {change}", change.node),
            Event::ActionStarted { node, action, .. } => write!(f, "{node}: {action}"),
            Event::Action { change, changed } => {
                write!(
                    f,
                    "{}: {}: {change}",
                    change.node,
                    if *changed { "changed" } else { "unchanged" }
                )
            }
            Event::Drift(change) => {
                write!(f, "{}: changed by hand and kept: {change}", change.node)
            }
            Event::Output { node, line, .. } => write!(f, "{node}: | {line}"),
            Event::Ran(RunResult { node, exit: Some(exit), .. }) => {
                write!(f, "{node}: exit {exit}")
            }
            Event::Ran(RunResult { node, error, .. }) => {
                write!(f, "{node}: {}", error.as_deref().unwrap_or("it did not end by itself"))
            }
            Event::Copied(CopyResult { node, error: Some(error), .. }) => {
                write!(f, "{node}: {error}")
            }
            Event::Copied(CopyResult { node, copied, .. }) => {
                write!(f, "{node}: {} copied", copied.len())
            }
            Event::NodeFinished { node, result, .. } => write!(f, "{node}: {result}"),
            Event::Warning { node, message } => {
                write!(f, "{}warning: {message}", prefix(node.as_deref()))
            }
            Event::Message { node, message, .. } => {
                write!(f, "{}{message}", prefix(node.as_deref()))
            }
            Event::Unknown => f.write_str("an event of a newer pallet"),
            Event::Finished { totals: Totals { changed, unchanged, failed, .. }, seconds } => {
                write!(
                    f,
                    "{changed} changed, {unchanged} unchanged, {failed} failed in {seconds:.1} s"
                )
            }
        }
    }
}

fn prefix(node: Option<&str>) -> String {
    node.map(|node| format!("{node}: ")).unwrap_or_default()
}

impl fmt::Display for PlannedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.action, self.subject)?;
        if self.summary.is_empty() { Ok(()) } else { write!(f, ": {}", self.summary) }
    }
}

impl fmt::Display for NodeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeResult::Unchanged => f.write_str("nothing to change"),
            NodeResult::Changed { changes } => write!(f, "{changes} changes"),
            NodeResult::Failed { error, .. } => write!(f, "failed: {error}"),
            NodeResult::NotReached { reason } => write!(f, "not reached: {reason}"),
        }
    }
}

/// With the phase, the action and the place in the project, if known.
impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.phase, &self.action].into_iter().flatten() {
            write!(f, "{}: ", visible(part))?;
        }
        f.write_str(&visible(&self.message))?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, " ({source})"))
    }
}

/// `2 changed, 0 unchanged, 0 failed`, with the numbers of created and destroyed nodes if any.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (changed, unchanged, failed) = self.counts();
        write!(f, "{changed} changed, {unchanged} unchanged, {failed} failed")?;
        if self.not_reached() > 0 {
            write!(f, ", {} not reached", self.not_reached())?;
        }
        for (nodes, what) in [(&self.created, "created"), (&self.destroyed, "destroyed")] {
            if !nodes.is_empty() {
                write!(f, ", {} {what}", nodes.len())?;
            }
        }
        if self.cancelled { f.write_str("; stopped before the end") } else { Ok(()) }
    }
}

/// An operation that failed on some nodes: one line for each failure.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Failures(String);

impl Outcome {
    /// Returns an error that names every failed node with its reason, unless all nodes succeeded.
    pub fn check(&self) -> Result<(), Failures> {
        if self.ok() {
            return Ok(());
        }
        let failed = self.nodes.iter().filter(|node| !node.result.ok());
        let mut lines: Vec<_> =
            failed.map(|node| format!("{}: {}", node.node, node.result)).collect();
        lines.extend(self.errors.iter().cloned());
        if self.cancelled {
            lines.push("it was stopped before the end".to_owned());
        }
        Err(Failures(lines.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::NodeOutcome;

    #[test]
    fn an_outcome_says_what_failed() {
        let node = |name: &str, result| NodeOutcome {
            node: name.to_owned(),
            group: "web".to_owned(),
            drifted: 0,
            result,
        };
        let error = NodeError {
            phase: Some("configure".into()),
            action: Some("package nginx".into()),
            ..NodeError::new("there is none")
        };
        let mut outcome = Outcome {
            nodes: vec![
                node("web-1", NodeResult::Changed { changes: 3 }),
                node("web-2", NodeResult::Failed { changes: 0, error }),
            ],
            created: vec!["web-1".to_owned(), "web-2".to_owned()],
            ..Outcome::default()
        };
        assert_eq!(outcome.to_string(), "1 changed, 0 unchanged, 1 failed, 2 created");
        assert_eq!(
            outcome.check().unwrap_err().to_string(),
            "web-2: failed: configure: package nginx: there is none"
        );
        outcome.nodes.pop();
        assert!(outcome.check().is_ok());
        outcome.cancelled = true;
        assert_eq!(outcome.check().unwrap_err().to_string(), "it was stopped before the end");
    }
}

//! Shows an operation's events as they happen: a line per node on a terminal, plain lines
//! elsewhere, JSON for programs.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pallet_core::action::Certainty;
use pallet_core::engine::{CopyResult, Event, Outcome, PlannedChange, Record, RunResult};

use super::fold::names;
use super::printer::Printer;
use super::summary::summary;
use crate::terminal::{beginning, visible};

/// Maximum number of nodes with a line of their own on a terminal.
const LIVE_LINES: usize = 20;

/// Shows the progress of one operation.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Printer,
    live: MultiProgress,
    lines: Mutex<BTreeMap<String, ProgressBar>>,
    dry_run: std::sync::atomic::AtomicBool,
    /// Whether the operation runs now, so that the terminal shows what nodes are doing.
    runs: bool,
}

impl Progress {
    pub(crate) fn new(printer: Printer) -> Self {
        Progress {
            printer,
            live: MultiProgress::new(),
            lines: Mutex::default(),
            dry_run: false.into(),
            runs: true,
        }
    }

    /// Shows the records of an operation that is over.
    pub(super) fn replaying(printer: Printer) -> Self {
        Progress { runs: false, ..Progress::new(printer) }
    }

    /// Shows an event.
    pub(crate) fn record(&self, record: &Record) {
        if self.printer.json() {
            if let Ok(value) = serde_json::to_value(record) {
                self.printer.value(&value);
            }
            return;
        }
        let verbose = self.printer.verbose;
        match &record.event {
            Event::Started { dry_run, .. } => {
                self.dry_run.store(*dry_run, std::sync::atomic::Ordering::Relaxed)
            }
            Event::Creating { node, why, .. } if self.is_dry_run() => {
                let why: String =
                    why.iter().map(|line| format!("\n      {}", visible(line))).collect();
                self.print(&format!(
                    "{} {node}: create the node{why}",
                    self.printer.paint("+", "32")
                ))
            }
            Event::Creating { node, .. } => self.now(node, "creating"),
            Event::Created { node, address, started, .. } => {
                let what = if *started { "started" } else { "created" };
                self.print(&format!(
                    "{node}: {what}{}",
                    address
                        .as_ref()
                        .map(|address| format!(", address {address}"))
                        .unwrap_or_default()
                ));
            }
            Event::NotCreated { node, error, .. } => self
                .print(&format!("{node}: {} {error}", self.printer.paint("not created:", "31;1"))),
            Event::Destroying { node, .. } if self.is_dry_run() => {
                self.print(&format!("{} {node}: destroy the node", self.printer.paint("-", "31")))
            }
            Event::Destroying { node, .. } => self.now(node, "destroying"),
            Event::Destroyed { node, .. } => {
                self.done(node);
                self.print(&format!("{node}: destroyed"));
            }
            Event::Connected { node } => self.now(node, "connected"),
            Event::PhaseStarted { node, phase, actions } => {
                self.now(node, &format!("{phase}: {actions} actions"))
            }
            Event::ActionStarted { node, phase, action } => {
                self.now(node, &format!("{phase}: {}", visible(action)))
            }
            Event::Planned(change) => self.print(&self.change(change, true)),
            Event::Drift(change) => self.print(&self.change(change, true)),
            Event::Action { change, changed: true } => {
                self.print(&self.change(change, verbose > 0))
            }
            Event::Action { change, changed: false } => {
                if verbose > 0 {
                    self.print(&format!(
                        "{}: {}: {} {}: unchanged",
                        change.node,
                        change.phase,
                        change.action,
                        visible(&change.subject)
                    ));
                }
            }
            Event::Output { node, action, line, .. } => {
                // this output can be very long and is rarely useful
                if self.printer.terminal {
                    self.now(node, &format!("{action}: {}", beginning(line)));
                }
                if verbose > 1 {
                    self.print(&format!("{node}: {action} | {}", visible(line)));
                }
            }
            Event::NodeFinished { node, .. }
            | Event::Ran(RunResult { node, .. })
            | Event::Copied(CopyResult { node, .. }) => self.done(node),
            Event::Warning { node, message } => {
                let node = node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
                self.live.suspend(|| self.printer.warning(&format!("{node}{message}")));
            }
            Event::Message { node, level, message } => {
                if level != "debug" || verbose > 0 {
                    self.print(&format!(
                        "{}{message}",
                        node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default()
                    ));
                }
            }
            Event::WaveStarted { wave, waves, nodes } if *waves > 1 => {
                let nodes: Vec<_> = nodes.iter().map(String::as_str).collect();
                self.print(&format!("wave {wave} of {waves}: {}", names(&nodes)));
            }
            Event::Finished { .. } | Event::WaveFinished { .. } => self.clear(),
            // for the journal and for programs
            Event::Selected { .. } => self.print(&record.event.to_string()),
            Event::WaveStarted { .. }
            | Event::Applying { .. }
            | Event::NodeDone { .. }
            | Event::Sharing { .. }
            | Event::Tagging { .. }
            | Event::CleaningUp
            | Event::Resumed { .. }
            | Event::Inputs { .. }
            | Event::Unknown => {}
        }
    }

    /// Prints a line of the result above the progress lines.
    pub(crate) fn line(&self, text: &str) {
        self.print(text);
    }

    /// Prints a message that is not an event.
    pub(crate) fn say(&self, message: &str) {
        self.live.suspend(|| self.printer.warning(message));
    }

    /// Restores the terminal.
    pub(crate) fn abandon(&self) {
        self.clear();
    }

    /// Prints the summary of the outcome.
    pub(crate) fn summary(&self, outcome: &Outcome, seconds: f64) {
        self.clear();
        if !self.printer.json() {
            self.printer.text(&summary(&self.printer, outcome, self.is_dry_run(), seconds));
        }
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn change(&self, change: &PlannedChange, diff: bool) -> String {
        let mark = match change.certainty {
            Some(Certainty::Drifted) => self.printer.paint("!", "35"),
            // a change that was made is certain, whatever the plan said
            Some(_) if !self.is_dry_run() => self.printer.paint("~", "33"),
            Some(Certainty::Will) => self.printer.paint("~", "33"),
            Some(Certainty::May) => self.printer.paint("?", "36"),
            None => " ".to_owned(),
        };
        let source = change
            .source
            .as_ref()
            .filter(|_| self.printer.verbose > 0)
            .map(|source| format!("  ({source})"))
            .unwrap_or_default();
        let later = match (self.is_dry_run(), change.certainty) {
            (true, Some(Certainty::May)) => " (known after apply)",
            (_, Some(Certainty::Drifted)) if change.undone => {
                " (changed since Pallet applied it; lift reverts it)"
            }
            (_, Some(Certainty::Drifted)) => " (changed since Pallet applied it, kept)",
            _ => "",
        };
        let node = if change.predicted {
            format!("{} (predicted)", change.node)
        } else {
            change.node.clone()
        };
        let mut text = format!(
            "{mark} {node}: {}: {} {}: {}{later}{source}",
            change.phase,
            change.action,
            visible(&change.subject),
            visible(&change.summary)
        );
        if diff {
            for line in change.diff.lines() {
                text.push_str(&format!("\n      {}", self.printer.diff_line(line)));
            }
        }
        text
    }

    fn print(&self, text: &str) {
        self.live.suspend(|| self.printer.line(text));
    }

    /// Shows what a node is doing now, on a terminal only.
    fn now(&self, node: &str, what: &str) {
        if !self.printer.terminal || !self.runs {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if !lines.contains_key(node) && lines.len() >= LIVE_LINES {
            return;
        }
        let line = lines.entry(node.to_owned()).or_insert_with(|| {
            let line = self.live.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix}: {wide_msg}") {
                line.set_style(style);
            }
            line.set_prefix(visible(node).into_owned());
            line.enable_steady_tick(Duration::from_millis(100));
            line
        });
        line.set_message(visible(what).into_owned());
    }

    fn done(&self, node: &str) {
        if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(node) {
            line.finish_and_clear();
        }
    }

    fn clear(&self) {
        for (_, line) in
            std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
        {
            line.finish_and_clear();
        }
    }
}

//! Shows an operation's events as they happen: a line per node on a terminal, plain lines
//! elsewhere, JSON for programs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use pallet_core::action::Certainty;
use pallet_core::engine::{Event, Outcome, PlannedChange, Record};

use super::changes::{Changes, Told};
use super::fold::names;
use super::live::Live;
use super::printer::Printer;
use super::summary::summary;
use crate::terminal::visible;

/// From this number of nodes on, what is equal on several nodes is told once, after each phase.
const MANY: usize = 3;

/// Shows the progress of one operation.
#[derive(Debug)]
pub(crate) struct Progress {
    printer: Printer,
    live: Live,
    dry_run: AtomicBool,
    /// Whether the operation runs now, so that the terminal shows what nodes are doing.
    runs: bool,
    /// What is told about many nodes, until it is printed.
    collected: Mutex<Option<Collected>>,
}

#[derive(Debug, Default)]
struct Collected {
    phase: String,
    changes: Changes,
    warnings: Changes,
}

impl Progress {
    pub(crate) fn new(printer: Printer) -> Self {
        let live = Live::new(&printer);
        Progress {
            printer,
            live,
            dry_run: AtomicBool::default(),
            runs: true,
            collected: Mutex::default(),
        }
    }

    /// Shows the records of an operation that is over.
    pub(super) fn replaying(printer: Printer) -> Self {
        Progress { runs: false, ..Progress::new(printer) }
    }

    /// Shows an event.
    pub(crate) fn record(&self, record: &Record) {
        if self.runs {
            self.live.record(&record.event);
        }
        if self.printer.json() {
            if let Ok(value) = serde_json::to_value(record) {
                self.printer.value(&value);
            }
            return;
        }
        let verbose = self.printer.verbose;
        match &record.event {
            Event::Started { dry_run, nodes, .. } => {
                self.dry_run.store(*dry_run, Ordering::Relaxed);
                let many = nodes.len() >= MANY && !self.printer.per_node;
                *self.collected() = many.then(Collected::default);
            }
            Event::Phases { .. } | Event::WaveFinished { .. } => self.flush(None),
            Event::PhaseStarted { phase, .. } => self.flush(Some(phase)),
            Event::Creating { node, why, .. } if self.is_dry_run() => {
                let more = why.iter().map(|line| format!("\n      {}", visible(line))).collect();
                let (mark, head) = (self.printer.paint("+", "32"), "create the node".to_owned());
                self.tell(node, Told { mark, head, more, ..Told::default() });
            }
            Event::Created { node, address, started, .. } => {
                let what = if *started { "started" } else { "created" };
                let address = address.as_ref().filter(|_| !self.is_collecting());
                let address = address.map(|address| format!(", address {address}"));
                let head = format!("{what}{}", address.unwrap_or_default());
                self.tell(node, Told { head, ..Told::default() });
            }
            Event::NotCreated { node, error, .. } => self
                .print(&format!("{node}: {} {error}", self.printer.paint("not created:", "31;1"))),
            Event::Destroying { node, .. } if self.is_dry_run() => {
                let (mark, head) = (self.printer.paint("-", "31"), "destroy the node".to_owned());
                self.tell(node, Told { mark, head, ..Told::default() });
            }
            Event::Destroyed { node, .. } => {
                self.tell(node, Told { head: "destroyed".to_owned(), ..Told::default() });
            }
            Event::Planned(change) | Event::Drift(change) => {
                self.tell(&change.node, self.told(change, true));
            }
            Event::Action { change, changed: true } => {
                self.tell(&change.node, self.told(change, verbose > 0 || self.printer.diff));
            }
            Event::Action { change, changed: false } => {
                if verbose > 0 {
                    let subject = visible(&change.subject);
                    let head = format!("{}: {} {subject}: unchanged", change.phase, change.action);
                    let number = change.number;
                    self.tell(&change.node, Told { head, number, ..Told::default() });
                }
            }
            Event::Output { node, action, line, .. } => {
                if verbose > 1 {
                    self.print(&format!("{node}: {action} | {}", visible(line)));
                }
            }
            Event::Warning { node, message } => self.warn(node.as_deref(), message),
            Event::Message { node, level, message } => {
                if level != "debug" || verbose > 0 {
                    let (head, node) = (message.clone(), node.as_ref());
                    match node {
                        Some(node) => self.tell(node, Told { head, ..Told::default() }),
                        None => self.say_unless_quiet(&head),
                    }
                }
            }
            Event::WaveStarted { wave, waves, nodes } => {
                self.flush(None);
                if *waves > 1 {
                    let nodes: Vec<_> = nodes.iter().map(String::as_str).collect();
                    self.say_unless_quiet(&format!("wave {wave} of {waves}: {}", names(&nodes)));
                }
            }
            Event::Finished { .. } => self.clear(),
            Event::Selected { .. } => {
                self.live.suspend(|| self.printer.status(&record.event.to_string()));
            }
            Event::PhaseFinished { node, phase, ok: false, .. } if self.is_collecting() => {
                let failed = format!("{}: phase {} failed", visible(node), visible(phase));
                self.live.suspend(|| self.printer.status(&failed));
            }
            // for the live display, the journal and programs
            Event::Creating { .. }
            | Event::Destroying { .. }
            | Event::Connected { .. }
            | Event::PhaseFinished { .. }
            | Event::ActionStarted { .. }
            | Event::NodeFinished { .. }
            | Event::Ran(_)
            | Event::Copied(_)
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

    /// What is being waited for; `None`: nothing is known.
    pub(crate) fn waits_for(&self) -> Option<String> {
        self.live.waits_for()
    }

    /// Restores the terminal.
    pub(crate) fn abandon(&self) {
        self.clear();
    }

    /// Prints the summary of the outcome.
    pub(crate) fn summary(&self, outcome: &Outcome, seconds: f64) {
        self.clear();
        if !(self.printer.json() || self.printer.quiet && outcome.ok()) {
            self.printer.text(&summary(&self.printer, outcome, self.is_dry_run(), seconds));
        }
    }

    fn is_dry_run(&self) -> bool {
        self.dry_run.load(Ordering::Relaxed)
    }

    fn is_collecting(&self) -> bool {
        self.collected().is_some()
    }

    /// Tells something about a node: now, or together with others.
    fn tell(&self, node: &str, told: Told) {
        if self.printer.quiet {
            return;
        }
        if let Some(collected) = self.collected().as_mut() {
            return collected.changes.add(node, told);
        }
        self.print(&told.line(node));
    }

    fn warn(&self, node: Option<&str>, message: &str) {
        let Some(node) = node else {
            return self.live.suspend(|| self.printer.warning(message));
        };
        if let Some(collected) = self.collected().as_mut() {
            let head = message.to_owned();
            return collected.warnings.add(node, Told { head, ..Told::default() });
        }
        self.live.suspend(|| self.printer.warning(&format!("{node}: {message}")));
    }

    /// Prints what was collected; `phase`: unless that phase goes on.
    fn flush(&self, phase: Option<&str>) {
        let (changes, warnings) = {
            let mut collected = self.collected();
            let Some(collected) = collected.as_mut() else { return };
            if phase.is_some_and(|phase| phase == collected.phase) {
                return;
            }
            phase.unwrap_or_default().clone_into(&mut collected.phase);
            (collected.changes.take(), collected.warnings.take())
        };
        changes.iter().for_each(|line| self.print(line));
        for warning in warnings {
            self.live.suspend(|| self.printer.warning(&warning));
        }
    }

    fn told(&self, change: &PlannedChange, diff: bool) -> Told {
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
        let head = format!(
            "{}: {} {}: {}{later}{source}",
            change.phase,
            change.action,
            visible(&change.subject),
            visible(&change.summary)
        );
        let lines = change.diff.lines().filter(|_| diff);
        let more = lines.map(|line| format!("\n      {}", self.printer.diff_line(line))).collect();
        let suffix = if change.predicted { " (predicted)" } else { "" };
        Told { mark, head, more, suffix, number: change.number }
    }

    fn say_unless_quiet(&self, text: &str) {
        if !self.printer.quiet {
            self.print(text);
        }
    }

    fn print(&self, text: &str) {
        self.live.suspend(|| self.printer.line(text));
    }

    fn clear(&self) {
        self.flush(None);
        self.live.clear();
    }

    fn collected(&self) -> std::sync::MutexGuard<'_, Option<Collected>> {
        self.collected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

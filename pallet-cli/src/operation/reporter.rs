//! An operation as its user sees it: what is told while it runs, how it ended, and the exit code of
//! that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pallet_core::engine::{Engine, Event, Kind, Outcome, PlannedChange, Record, RunOutcome};

use crate::context::Context;
use crate::output::run_result::{live_line, run_result};
use crate::output::{Printer, Progress};

/// Tells of one operation.
#[derive(Clone)]
pub(crate) struct Reporter {
    progress: Arc<Progress>,
    printer: Printer,
    changes: Arc<Mutex<Vec<PlannedChange>>>,
    /// What commands print is shown while they run.
    live: Arc<AtomicBool>,
    begun: Instant,
}

impl Reporter {
    /// Has an engine tell the printer what happens from now on.
    pub(crate) fn begin(context: &Context, engine: &Engine) -> (Self, Engine) {
        let printer = context.printer.clone();
        let reporter = Reporter {
            progress: Arc::new(Progress::new(printer.clone())),
            printer,
            changes: Arc::default(),
            live: Arc::default(),
            begun: Instant::now(),
        };
        let receiver = reporter.clone();
        let engine = engine.with_sink(move |record: &Record| receiver.receive(record));
        let teller = engine.clone();
        let say = move |message: &str| teller.message("info", message);
        context.messages.send_to(Some(Arc::new(say)));
        (reporter, engine)
    }

    fn receive(&self, record: &Record) {
        match &record.event {
            Event::Started { kind: Kind::Run, nodes, .. } => {
                self.live.store(self.printer.shows_lines(nodes.len()), Ordering::Relaxed);
                self.progress.record(record);
            }
            Event::Output { node, line, .. } if self.live.load(Ordering::Relaxed) => {
                self.progress.line(&live_line(node, line));
            }
            _ => self.progress.record(record),
        }
        if let Event::Planned(change)
        | Event::Drift(change)
        | Event::Action { change, changed: true } = &record.event
            && change.certainty.is_some()
        {
            self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change.clone());
        }
    }

    /// Says that it is being stopped.
    pub(crate) fn stopping(&self, again: &str) {
        self.progress.say(&format!(
            "stopping: commands on nodes are terminated, and killed after 5 s; package transactions are completed. Press Ctrl-C again {again}"
        ));
    }

    /// Leaves the terminal as it was found.
    pub(crate) fn abandon(&self) {
        self.progress.abandon();
    }

    /// Tells how it ended.
    pub(crate) fn end(&self, outcome: &Outcome) {
        self.progress.summary(outcome, self.seconds());
    }

    /// Tells what a command printed on nodes, and how it ended.
    pub(crate) fn end_run(&self, outcome: &RunOutcome) {
        if !self.printer.json() {
            let unseen = !self.live.load(Ordering::Relaxed);
            self.printer.text(&run_result(&self.printer, outcome, unseen, self.seconds()));
        }
    }

    /// How long it has taken so far.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// What was changed so far, or would be.
    pub(crate) fn changes(&self) -> Vec<PlannedChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

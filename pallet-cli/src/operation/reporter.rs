//! An operation as its user sees it: what is told while it runs, how it ended, and the exit code of
//! that.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pallet_core::engine::{Engine, Event, Outcome, PlannedChange, RunOutcome};

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
    pub(crate) fn begin(context: &Context, engine: &mut Engine) -> Self {
        let printer = context.printer.clone();
        let progress = Arc::new(Progress::new(printer.clone()));
        let reporter = Reporter {
            progress,
            printer,
            changes: Arc::default(),
            live: Arc::default(),
            begun: Instant::now(),
        };
        let (told, changes, live, printer) = (
            reporter.progress.clone(),
            reporter.changes.clone(),
            reporter.live.clone(),
            reporter.printer.clone(),
        );
        engine.events = Arc::new(move |event| {
            match &event {
                Event::Started { operation, nodes, .. } if operation == "run" => {
                    live.store(printer.shows_lines(nodes.len()), Ordering::Relaxed);
                    told.event(&event);
                }
                Event::Output { node, line, .. } if live.load(Ordering::Relaxed) => {
                    told.line(&live_line(node, line))
                }
                _ => told.event(&event),
            }
            if let Event::Planned(change)
            | Event::Drift(change)
            | Event::Action { change, changed: true } = event
                && change.certainty.is_some()
            {
                changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
            }
        });
        let told = reporter.progress.clone();
        let say = move |message: &str| {
            told.event(&Event::Message {
                node: None,
                level: "info".to_owned(),
                message: message.to_owned(),
            })
        };
        context.messages.send_to(Some(Arc::new(say)));
        reporter
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
        let seconds = self.finished(
            outcome.ok(),
            outcome.counts(),
            (outcome.created.len(), outcome.destroyed.len()),
        );
        self.progress.summary(outcome, seconds);
    }

    /// Tells what a command printed on nodes, and how it ended.
    pub(crate) fn end_run(&self, outcome: &RunOutcome) {
        let failed = outcome.nodes.iter().filter(|node| node.exit != Some(0)).count();
        let seconds =
            self.finished(outcome.ok(), (0, outcome.nodes.len() - failed, failed), (0, 0));
        if !self.printer.json() {
            self.printer.text(&run_result(
                &self.printer,
                outcome,
                !self.live.load(Ordering::Relaxed),
                seconds,
            ));
        }
    }

    /// Tells that it is over: whether all is well; how many nodes were changed, unchanged and
    /// failed; how many created and destroyed. Gives how many seconds it took.
    pub(crate) fn finished(
        &self,
        ok: bool,
        (changed, unchanged, failed): (usize, usize, usize),
        (created, destroyed): (usize, usize),
    ) -> f64 {
        let seconds = self.begun.elapsed().as_secs_f64();
        self.progress.event(&Event::Finished {
            ok,
            changed,
            unchanged,
            failed,
            created,
            destroyed,
            seconds,
        });
        seconds
    }

    /// What was changed so far, or would be.
    pub(crate) fn changes(&self) -> Vec<PlannedChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

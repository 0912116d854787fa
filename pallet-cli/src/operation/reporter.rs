//! Reports the progress and the outcome of an operation.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use pallet_core::engine::{Engine, Event, Kind, Outcome, PlannedChange, Record, RunOutcome};

use crate::context::{Context, ProjectWithPlugins};
use crate::output::history::short_id;
use crate::output::run_result::{live_line, run_result};
use crate::output::{Printer, Progress};
use crate::telemetry::Teller;

/// Reports one operation.
#[derive(Clone)]
pub(crate) struct Reporter {
    progress: Arc<Progress>,
    printer: Printer,
    changes: Arc<Mutex<Vec<PlannedChange>>>,
    /// Whether nodes were touched.
    changed: Arc<AtomicBool>,
    /// Whether output of commands is shown while they run.
    live: Arc<AtomicBool>,
    /// The end of the operation's ID.
    operation: Arc<OnceLock<String>>,
    begun: Instant,
    /// Tells others of the operation, if any are to be told.
    teller: Option<Teller>,
}

impl Reporter {
    /// Connects an engine to the printer.
    pub(crate) fn begin(
        context: &Context,
        loaded: &ProjectWithPlugins,
        engine: &Engine,
    ) -> (Self, Engine) {
        let (teller, engine) = Teller::begin(context, loaded, engine.clone());
        let printer = context.printer.clone();
        let reporter = Reporter {
            progress: Arc::new(Progress::new(printer.clone())),
            printer,
            changes: Arc::default(),
            changed: Arc::default(),
            live: Arc::default(),
            operation: Arc::default(),
            begun: Instant::now(),
            teller,
        };
        let receiver = reporter.clone();
        let engine = engine.with_sink(move |record: &Record| receiver.receive(record));
        let teller = engine.clone();
        let say = move |message: &str| teller.message("info", message);
        context.messages.send_to(Some(Arc::new(say)));
        (reporter, engine)
    }

    fn receive(&self, record: &Record) {
        self.operation.get_or_init(|| short_id(&record.operation).to_owned());
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
        if let Event::Applying { .. } | Event::Created { .. } | Event::Destroyed { .. } =
            &record.event
        {
            self.changed.store(true, Ordering::Relaxed);
        }
        if let Event::Planned(change)
        | Event::Drift(change)
        | Event::Action { change, changed: true } = &record.event
            && change.certainty.is_some()
        {
            self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change.clone());
        }
    }

    /// Whether nodes were touched.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// Says that the operation is being stopped.
    pub(crate) fn stopping(&self, again: &str) {
        self.progress.say(&format!(
            "stopping: commands on nodes are terminated, and killed after 5 s; package \
             transactions are completed. Press Ctrl-C again {again}"
        ));
    }

    /// Says what an operation that is being stopped waits for.
    pub(crate) fn waiting(&self, again: &str) {
        let waits = self.progress.waits_for();
        let waits = waits.unwrap_or_else(|| "the service or a node to answer".to_owned());
        self.progress.say(&format!("waiting for {waits}. Press Ctrl-C again {again}"));
    }

    /// The operation's short ID, once it has begun.
    pub(crate) fn operation(&self) -> Option<&str> {
        self.operation.get().map(String::as_str)
    }

    /// Restores the terminal.
    pub(crate) fn abandon(&self) {
        self.progress.abandon();
    }

    /// Prints the outcome.
    pub(crate) fn end(&self, outcome: &Outcome) {
        self.progress.summary(outcome, self.seconds());
    }

    /// Tells others of the operation, once everything is printed. This takes a few seconds at most,
    /// and what fails is a warning.
    pub(crate) fn tell_others(&self) {
        if let Some(teller) = &self.teller {
            teller.finish();
        }
    }

    /// Says what to do next.
    pub(crate) fn say(&self, text: &str) {
        if !self.printer.json() {
            self.printer.line(text);
        }
    }

    /// Prints the output and the results of a command on nodes.
    pub(crate) fn end_run(&self, outcome: &RunOutcome) {
        if !self.printer.json() {
            let unseen = !self.live.load(Ordering::Relaxed);
            self.printer.text(&run_result(&self.printer, outcome, unseen, self.seconds()));
        }
    }

    /// The duration so far.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// The changes so far; in a dry run, those that would be made.
    pub(crate) fn changes(&self) -> Vec<PlannedChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

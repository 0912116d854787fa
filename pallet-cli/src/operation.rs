//! An operation as its user sees it: what is told while it runs, how it ended, and the exit code of that.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pallet_core::engine::{Engine, Event, Outcome, PlannedChange};

use crate::context::Context;
use crate::error::{DRIFT, INTERRUPTED, SOME_NODE_FAILED};
use crate::output::Progress;

/// Tells of one operation.
#[derive(Clone)]
pub(crate) struct Telling {
    progress: Arc<Progress>,
    changes: Arc<Mutex<Vec<PlannedChange>>>,
    begun: Instant,
}

impl Telling {
    /// Has an engine tell the printer what happens from now on.
    pub(crate) fn begin(context: &Context, engine: &mut Engine) -> Self {
        let telling = Telling { progress: Arc::new(context.printer.progress()), changes: Arc::default(), begun: Instant::now() };
        let (told, changes) = (telling.progress.clone(), telling.changes.clone());
        engine.events = Arc::new(move |event| {
            told.event(&event);
            if let Event::Planned(change) | Event::Drift(change) | Event::Action { change, changed: true } = event
                && change.certainty.is_some()
            {
                changes.lock().unwrap_or_else(PoisonError::into_inner).push(change);
            }
        });
        let told = telling.progress.clone();
        let say = move |message: &str| told.event(&Event::Message { node: None, level: "info".to_owned(), message: message.to_owned() });
        context.listener.set(Some(Arc::new(say)));
        telling
    }

    /// Says that it is being stopped.
    pub(crate) fn stopping(&self, again: &str) {
        self.progress.say(&format!(
            "stopping: commands on the nodes are told to end, only transactions of packages are finished. Ctrl-C again {again}"
        ));
    }

    /// Leaves the terminal as it was found.
    pub(crate) fn abandon(&self) {
        self.progress.abandon();
    }

    /// Tells how it ended.
    pub(crate) fn end(&self, outcome: &Outcome) {
        let (changed, unchanged, failed) = outcome.counts();
        let seconds = self.begun.elapsed().as_secs_f64();
        self.progress.event(&Event::Finished {
            ok: outcome.ok(),
            changed,
            unchanged,
            failed,
            created: outcome.created.len(),
            destroyed: outcome.destroyed.len(),
            seconds,
        });
        self.progress.summary(outcome, seconds);
    }

    /// What was changed so far, or would be.
    pub(crate) fn changes(&self) -> Vec<PlannedChange> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The exit code of an operation that ended so.
pub(crate) fn exit_code(outcome: &Outcome) -> u8 {
    match (outcome.cancelled, outcome.ok()) {
        (true, _) => INTERRUPTED,
        (false, true) if outcome.drift_only && outcome.drifted() > 0 => DRIFT,
        (false, true) => 0,
        (false, false) => SOME_NODE_FAILED,
    }
}

/// A node costs the controller some milliseconds, so few threads do, and they wake each other less.
pub(crate) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 4).clamp(1, 8))
}

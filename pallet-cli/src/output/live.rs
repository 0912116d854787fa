//! What an operation does now, at the bottom of a terminal: nodes and phases, counts, the slowest
//! node, and how long it may take.

mod lines;
mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use pallet_core::engine::Event;

use self::state::State;
use super::printer::Printer;

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(200);
/// How often there is a line about it where it is not drawn.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);

/// Draws the state of an operation until it ends.
#[derive(Debug)]
pub(super) struct Live {
    printer: Printer,
    screen: MultiProgress,
    state: Arc<Mutex<Option<State>>>,
}

impl Live {
    /// Follows an operation.
    pub(super) fn new(printer: &Printer) -> Self {
        Live { printer: printer.clone(), screen: MultiProgress::new(), state: Arc::default() }
    }

    /// Takes in what happens.
    pub(super) fn record(&self, event: &Event) {
        if let Event::Started { nodes, .. } = event {
            *self.state() = Some(State::new(nodes, Instant::now()));
            self.show_until_the_end();
        } else if let Some(state) = self.state().as_mut() {
            state.take(event, Instant::now());
        }
    }

    /// Does some work with the screen free for other output.
    pub(super) fn suspend(&self, work: impl FnOnce()) {
        self.screen.suspend(work);
    }

    /// What is being waited for, in a few words; `None` if nothing is known.
    pub(super) fn waits_for(&self) -> Option<String> {
        self.state().as_ref().and_then(|state| state.waits_for(Instant::now()))
    }

    /// Ends it, and clears the screen.
    pub(super) fn clear(&self) {
        if let Some(mut state) = self.state().take() {
            state.clear();
        }
    }

    /// Draws it on a terminal; elsewhere, prints a line from time to time.
    fn show_until_the_end(&self) {
        if self.printer.quiet || self.printer.json() {
            return;
        }
        let (screen, state) = (self.screen.clone(), Arc::downgrade(&self.state));
        let printer = self.printer.clone();
        let show = move || {
            let mut last = Instant::now();
            while let Some(state) = state.upgrade() {
                let mut shown = state.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(now) = shown.as_mut() else { break };
                match (printer.terminal, printer.is_asking()) {
                    // a question stands where the lines would be
                    (_, true) => now.clear(),
                    (true, false) => now.draw(&screen),
                    (false, false) if last.elapsed() >= SIGN_OF_LIFE => {
                        last = Instant::now();
                        printer.status(&now.last_line(last));
                    }
                    (false, false) => {}
                }
                drop(shown);
                drop(state);
                std::thread::sleep(TICK);
            }
        };
        // without a thread there is no live display, and nothing else
        let _ = std::thread::Builder::new().name("live".to_owned()).spawn(show);
    }

    fn state(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn clear(&mut self) {
        self.rows.drain(..).for_each(|row| row.finish_and_clear());
    }

    fn draw(&mut self, screen: &MultiProgress) {
        let lines = self.lines(Instant::now());
        while self.rows.len() > lines.len() {
            if let Some(row) = self.rows.pop() {
                row.finish_and_clear();
            }
        }
        while self.rows.len() < lines.len() {
            let row = screen.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                row.set_style(style);
            }
            self.rows.push(row);
        }
        for (row, line) in self.rows.iter().zip(lines) {
            row.set_message(line);
        }
    }
}

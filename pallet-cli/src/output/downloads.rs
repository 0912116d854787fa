//! Reports the progress of downloads.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};
use pallet_core::distribution::install::Step;

use super::printer::Printer;

/// A progress bar on a terminal; elsewhere, a line for each wait.
#[derive(Debug)]
pub(crate) struct Downloads {
    printer: Printer,
    bar: Mutex<Option<ProgressBar>>,
}

impl Downloads {
    pub(crate) fn new(printer: &Printer) -> Self {
        Downloads { printer: printer.clone(), bar: Mutex::default() }
    }

    /// Reports a step.
    pub(crate) fn tell(&self, step: &Step<'_>) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        match step {
            Step::Download { plugin, done, total } if self.printer.terminal => {
                let bar = bar.get_or_insert_with(|| self.begin(plugin, *total));
                bar.set_position(*done);
            }
            Step::Download { .. } => {}
            Step::Waiting { plugin } => self.printer.status(&format!(
                "waiting for another pallet-cli process that is installing {plugin}"
            )),
            Step::Installed { .. } => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn begin(&self, plugin: &str, total: u64) -> ProgressBar {
        let bar = ProgressBar::new(total).with_prefix(plugin.to_owned());
        let template = "{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar
    }
}

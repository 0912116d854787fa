//! One line per error of nodes. Similar errors are grouped, and of very many only some are shown.

use super::fold::{ErrorGroup, fold, names};
use super::printer::Printer;
use crate::terminal::visible;

/// The errors in the results of one command.
pub(super) struct ErrorLines<'a> {
    printer: &'a Printer,
    told: Vec<ErrorGroup<'a, String>>,
    left_out: usize,
}

impl<'a> ErrorLines<'a> {
    /// Collects the errors of results, each with its nodes.
    pub(super) fn of<R>(
        printer: &'a Printer,
        results: &[(Vec<&'a str>, &'a R)],
        error: fn(&R) -> Option<&String>,
    ) -> Self {
        let errors = results
            .iter()
            .filter_map(|(nodes, result)| Some((error(result)?, nodes.clone())))
            .collect();
        let (told, left_out) = fold(errors, Clone::clone, printer.verbose > 0);
        ErrorLines { printer, told, left_out }
    }

    /// The line of an error, or `None` if the line of a similar error includes it.
    pub(super) fn line(&self, error: &String) -> Option<String> {
        let told = self.told.iter().find(|told| std::ptr::eq(told.error, error))?;
        let like = match told.alike {
            0 => String::new(),
            alike => format!(" ({alike} of them with a similar error)"),
        };
        let nodes = self.printer.paint(&names(&told.nodes), "1");
        Some(format!("{nodes}: {}{like}\n", self.printer.paint(&visible(error), "31;1")))
    }

    /// The line that counts the nodes whose errors are not shown.
    pub(super) fn rest(&self) -> String {
        match self.left_out {
            0 => String::new(),
            nodes => format!("{nodes} other nodes have other errors; -v shows all\n"),
        }
    }
}

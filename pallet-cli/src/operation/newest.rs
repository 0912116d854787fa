//! The newest operation of a project.

use anyhow::bail;
use pallet_core::engine::{JournalError, JournalSummary, Journals, Totals};

/// The newest operation of the project in this directory that is wanted, apart from those that were
/// refused before any node was touched. `otherwise` says what to do if a journal cannot be read.
pub(crate) fn newest(
    journals: &Journals,
    here: &str,
    otherwise: &str,
    wanted: impl Fn(&str, &JournalSummary) -> anyhow::Result<bool>,
) -> anyhow::Result<Option<String>> {
    for operation in journals.operations()? {
        let summary = match journals.summary(&operation) {
            Ok(summary) => summary,
            // its operation never began
            Err(JournalError::NoHeader { .. }) => continue,
            Err(error) => bail!("{error}; {otherwise}"),
        };
        if summary.header.directory != here || !wanted(&operation, &summary)? {
            continue;
        }
        let has_no_results =
            summary.finished.is_some_and(|(totals, _)| totals == Totals::default());
        if !(has_no_results && journals.confirmed(&operation)?.is_empty()) {
            return Ok(Some(operation));
        }
    }
    Ok(None)
}

//! The page of an operation, from its journal: as a file, or live while it runs.

mod live;
mod model;
mod page;

use std::time::SystemTime;

use pallet_core::engine::JournalFile;

pub(crate) use live::{Server, Watch};

/// The page of an operation, as one document. `machine` is this machine and its boot.
pub(crate) fn page_of(journal: &JournalFile, machine: &str) -> String {
    page::page(&model::Report::of(journal, machine, SystemTime::now()), page::Mode::File)
}

//! The journal of operations: a file for each operation, with its records as they happened.
//!
//! [`Journal`] writes one, as a sink. [`Journals`] lists, finds and removes those of a directory,
//! [`JournalFile`] reads one, [`JournalFollower`] reads one while it is written, and [`Confirmed`]
//! tells what is known to be done.

mod compare;
mod confirmed;
mod directory;
mod ending;
mod error;
mod file;
mod follow;
mod header;
mod journals;
mod kept_output;
mod outcome;
mod prune;
mod summary;
#[cfg(test)]
mod tests;
mod write;

pub use compare::{ComparedChange, Comparison, NodeComparison};
pub use confirmed::{Confirmed, DoneNode};
pub use ending::Ending;
pub use error::JournalError;
pub use file::JournalFile;
pub use follow::JournalFollower;
pub use header::JournalHeader;
pub use journals::Journals;
pub use summary::JournalSummary;
pub use write::Journal;

/// The version of the format. A journal with a later one is refused.
const VERSION: u32 = 1;

/// The extension of a journal's file; its stem is the operation's ID.
const EXTENSION: &str = "jsonl";

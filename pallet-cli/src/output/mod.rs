//! All output: nothing else writes to stdout and stderr.

pub(crate) mod copy_result;
mod downloads;
mod error_lines;
pub(crate) mod explanation;
mod failure;
mod fold;
mod format;
pub(crate) mod history;
pub(crate) mod junit;
pub(crate) mod markdown;
pub(crate) mod nodes;
mod printer;
mod progress;
pub(crate) mod run_result;
mod summary;
mod table;

pub(crate) use downloads::Downloads;
pub(crate) use format::OutputFormat;
pub(crate) use printer::Printer;
pub(crate) use progress::Progress;
pub(crate) use table::table;

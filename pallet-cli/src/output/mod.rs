//! All output: nothing else writes to stdout and stderr.

mod changes;
pub(crate) mod copy_result;
mod downloads;
mod error_lines;
pub(crate) mod explanation;
pub(crate) mod facts;
mod failure;
mod fold;
mod format;
pub(crate) mod history;
pub(crate) mod junit;
mod live;
pub(crate) mod markdown;
mod markup;
pub(crate) mod nodes;
mod printer;
mod progress;
pub(crate) mod run_result;
mod summary;
mod table;

pub(crate) use downloads::Downloads;
pub(crate) use format::{ColorChoice, OutputFormat, PrintOptions};
pub(crate) use printer::Printer;
pub(crate) use progress::Progress;
pub(crate) use summary::whole_output;
pub(crate) use table::table;

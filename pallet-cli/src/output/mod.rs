//! Everything that is printed: the only writer to standard output and standard error.

pub(crate) mod about;
pub(crate) mod copy_result;
mod downloads;
pub(crate) mod explanation;
mod failure;
mod fold;
pub(crate) mod nodes;
pub(crate) mod pages;
mod printer;
mod progress;
pub(crate) mod reference;
pub(crate) mod run_result;
mod summary;
mod table;
mod visible;

pub(crate) use downloads::Downloads;
pub(crate) use printer::Printer;
pub(crate) use progress::Progress;
pub(crate) use table::table;
pub(crate) use visible::paint;

//! How results are printed.

use clap::ValueEnum;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Text for a person
    Text,
    /// JSON for a program: operations print one event a line, lists are one array
    Json,
}

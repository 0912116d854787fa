//! How results are printed.

use clap::ValueEnum;

/// How to print.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Human-readable text
    #[default]
    Text,
    /// JSON: one event per line for operations, one array for lists
    Json,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to print, and how.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PrintOptions {
    pub(crate) output: OutputFormat,
    pub(crate) color: ColorChoice,
    pub(crate) verbose: u8,
    /// Only warnings, failures and results.
    pub(crate) quiet: bool,
    /// Each node by itself, however many there are.
    pub(crate) per_node: bool,
    /// The diffs of changes that are made.
    pub(crate) diff: bool,
}

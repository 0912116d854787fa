//! Why a journal cannot be read or found.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::VERSION;

/// A journal that cannot be read or found.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JournalError {
    /// A file or directory cannot be read or removed.
    #[error("cannot {what} {path}: {error}")]
    Io {
        /// What was tried: `read the journal`.
        what: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The file has no header.
    #[error("{path} has no header: {error}; the operation did not begin, or this is no journal")]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// Why.
        error: String,
    },
    /// The format is later than this version of Pallet knows.
    #[error(
        "{path} was written by a newer Pallet (format {version}; this one knows {VERSION}); \
         update Pallet to read it"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u64,
    },
    /// A line that is not the last one cannot be read.
    #[error("{path} is broken in line {line}: {error}; something else wrote to it")]
    Broken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why.
        error: String,
    },
    /// Too few characters to find an operation.
    #[error("{id:?} is too short: use at least {least} characters of an operation's ID")]
    TooShort {
        /// What was given.
        id: String,
        /// The minimum.
        least: usize,
    },
    /// No operation has this ID.
    #[error("there is no operation {id} in {directory}; it may have been too old to be kept")]
    Unknown {
        /// What was given.
        id: String,
        /// The directory of the journals.
        directory: PathBuf,
    },
    /// Several operations match.
    #[error("{id} means several operations; use more characters: {}", found.join(", "))]
    Ambiguous {
        /// What was given.
        id: String,
        /// Some of the IDs that match.
        found: Vec<String>,
    },
}

impl JournalError {
    pub(super) fn io(what: &'static str, path: &Path, error: impl ToString) -> Self {
        JournalError::Io { what, path: path.to_owned(), error: error.to_string() }
    }

    pub(super) fn no_header(path: &Path, error: impl ToString) -> Self {
        JournalError::NoHeader { path: path.to_owned(), error: error.to_string() }
    }
}

//! The journals of a directory: lists and finds them.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::EXTENSION;
use super::error::JournalError;
use super::file::JournalFile;
use super::summary::JournalSummary;

/// The fewest characters of an ID that find an operation.
const LEAST: usize = 4;

/// How many IDs an error names.
const NAMED: usize = 5;

/// The journals of a directory.
#[derive(Debug, Clone)]
pub struct Journals {
    pub(super) directory: PathBuf,
    pub(super) machine: String,
}

impl Journals {
    /// The journals in this directory, which need not exist. `machine` is this machine and its
    /// boot, as in [`Holder::machine`](crate::engine::Holder::machine).
    pub fn new(directory: impl Into<PathBuf>, machine: impl Into<String>) -> Self {
        Journals { directory: directory.into(), machine: machine.into() }
    }

    /// The IDs of all operations, newest first. Other files in the directory are ignored.
    pub fn operations(&self) -> Result<Vec<String>, JournalError> {
        let failed = |error| JournalError::io("read the directory", &self.directory, error);
        let entries = match std::fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut operations = Vec::new();
        for entry in entries {
            operations.extend(operation_of(Path::new(&entry.map_err(failed)?.file_name())));
        }
        operations.sort_unstable_by(|a, b| b.cmp(a));
        Ok(operations)
    }

    /// The ID of the latest operation whose journal can be read. With a directory: of the project
    /// in that directory.
    pub fn latest(&self, directory: Option<&str>) -> Result<Option<String>, JournalError> {
        let wanted = |operation: &String| {
            self.summary(operation).is_ok_and(|summary| {
                directory.is_none_or(|directory| summary.header.directory == directory)
            })
        };
        Ok(self.operations()?.into_iter().find(wanted))
    }

    /// The ID of the operation with this ID, or with an ID that begins or ends with it.
    pub fn find(&self, id: &str) -> Result<String, JournalError> {
        let wanted = id.trim().to_lowercase();
        if wanted.chars().count() < LEAST {
            return Err(JournalError::TooShort { id: id.to_owned(), least: LEAST });
        }
        let mut found = self.operations()?;
        if found.contains(&wanted) {
            return Ok(wanted);
        }
        found.retain(|known| known.starts_with(&wanted) || known.ends_with(&wanted));
        match found.as_slice() {
            [] => {
                Err(JournalError::Unknown { id: id.to_owned(), directory: self.directory.clone() })
            }
            [one] => Ok(one.clone()),
            _ => {
                found.truncate(NAMED);
                Err(JournalError::Ambiguous { id: id.to_owned(), found })
            }
        }
    }

    /// The header of an operation's journal, and how it ended: fast, whatever its size.
    pub fn summary(&self, operation: &str) -> Result<JournalSummary, JournalError> {
        JournalSummary::read(&self.path(operation), &self.machine)
    }

    /// Reads the journal of an operation.
    pub fn read(&self, operation: &str) -> Result<JournalFile, JournalError> {
        JournalFile::read(self.path(operation))
    }

    /// The file of an operation's journal.
    pub fn path(&self, operation: &str) -> PathBuf {
        self.directory.join(format!("{operation}.{EXTENSION}"))
    }

    /// When an operation began, from its ID.
    pub fn began(operation: &str) -> Option<SystemTime> {
        let (seconds, nanos) = Uuid::parse_str(operation).ok()?.get_timestamp()?.to_unix();
        SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos))
    }
}

/// The operation of a journal's file, if it is one.
fn operation_of(file: &Path) -> Option<String> {
    let is_journal = file.extension().is_some_and(|extension| extension == EXTENSION);
    let operation = file.file_stem().filter(|_| is_journal)?.to_str()?;
    let uuid = Uuid::parse_str(operation).ok()?;
    // as it is written, and with a time
    let usual = uuid.to_string() == operation && uuid.get_timestamp().is_some();
    usual.then(|| operation.to_owned())
}

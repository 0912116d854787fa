//! Reads a journal while it is written.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use super::error::JournalError;
use super::file::{JournalFile, broken, open, parse};

/// A journal that is read while it is written: each time, only what is new.
#[derive(Debug)]
pub struct JournalFollower {
    journal: JournalFile,
    reader: BufReader<File>,
    /// The beginning of a line whose end is not written yet.
    begun: Vec<u8>,
    /// How many lines were read.
    lines: usize,
}

impl JournalFollower {
    /// Opens a journal and reads what it has so far.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        let (header, reader) = open(path)?;
        let journal =
            JournalFile { path: path.to_owned(), header, records: Vec::new(), incomplete: None };
        let mut follower = JournalFollower { journal, reader, begun: Vec::new(), lines: 1 };
        follower.read_on()?;
        Ok(follower)
    }

    /// What was read so far. Its last line may be incomplete, and then is no record yet.
    pub fn journal(&self) -> &JournalFile {
        &self.journal
    }

    /// Reads what was written since. Returns whether there are new records.
    pub fn read_on(&mut self) -> Result<bool, JournalError> {
        let JournalFollower { journal, reader, begun, lines } = self;
        let before = journal.records.len();
        loop {
            let read = reader.read_until(b'\n', begun);
            read.map_err(|error| JournalError::io("read the journal", &journal.path, error))?;
            if begun.last() != Some(&b'\n') {
                break;
            }
            *lines += 1;
            let record = parse(begun).map_err(|error| broken(&journal.path, *lines, error))?;
            journal.records.extend(record);
            begun.clear();
        }
        journal.incomplete = (!begun.is_empty()).then_some(*lines + 1);
        Ok(journal.records.len() > before)
    }
}

//! Reads a journal.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use serde_json::Value;

use super::VERSION;
use super::ending::Ending;
use super::error::JournalError;
use super::header::JournalHeader;
use crate::engine::{Event, Record, Totals};

/// How many bytes a header may have.
const LONGEST_HEADER: u64 = 1 << 20;

/// A journal that was read.
#[derive(Debug, Clone)]
pub struct JournalFile {
    /// The file.
    pub path: PathBuf,
    /// The header.
    pub header: JournalHeader,
    /// The records, in order, without those of events that only a newer Pallet knows.
    pub records: Vec<Record>,
    /// The number of the last line, if it is incomplete and was ignored: the machine or the process
    /// ended while it was written.
    pub incomplete: Option<usize>,
}

impl JournalFile {
    /// Reads a journal.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        let (header, mut reader) = open(path)?;
        let mut journal =
            JournalFile { path: path.to_owned(), header, records: Vec::new(), incomplete: None };
        let mut bytes = Vec::new();
        for line in 2.. {
            bytes.clear();
            let read = reader.read_until(b'\n', &mut bytes);
            if read.map_err(|error| JournalError::io("read the journal", path, error))? == 0 {
                break;
            }
            match parse(&bytes) {
                Ok(record) => journal.records.extend(record),
                Err(error) => match reader.fill_buf() {
                    // nothing follows
                    Ok([]) => journal.incomplete = Some(line),
                    _ => return Err(broken(path, line, error)),
                },
            }
        }
        Ok(journal)
    }

    /// How the operation ended. `machine` is this machine and its boot, as in
    /// [`Holder::machine`](crate::engine::Holder::machine).
    pub fn ending(&self, machine: &str) -> Ending {
        Ending::of(&self.header, self.finished().map(|(totals, _)| totals), machine)
    }

    /// The totals of the operation and how many seconds it took, if it finished.
    pub fn finished(&self) -> Option<(&Totals, f64)> {
        self.records.iter().rev().find_map(|record| match &record.event {
            Event::Finished { totals, seconds } => Some((totals, *seconds)),
            _ => None,
        })
    }
}

/// Opens a journal and reads its header.
pub(super) fn open(path: &Path) -> Result<(JournalHeader, BufReader<File>), JournalError> {
    let failed = |error: std::io::Error| JournalError::io("read the journal", path, error);
    // a pipe must not be waited for
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file =
        rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
    let file = File::from(file);
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(JournalError::no_header(path, "it is not a file"));
    }
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST_HEADER).read_until(b'\n', &mut line).map_err(failed)?;
    let header: Value =
        serde_json::from_slice(&line).map_err(|error| JournalError::no_header(path, error))?;
    let version = header.get("journal").and_then(Value::as_u64);
    match version {
        None => return Err(JournalError::no_header(path, "its first line has no `journal`")),
        Some(version) if version > u64::from(VERSION) => {
            return Err(JournalError::Newer { path: path.to_owned(), version });
        }
        Some(_) => {}
    }
    let header =
        serde_json::from_value(header).map_err(|error| JournalError::no_header(path, error))?;
    Ok((header, reader))
}

/// A line of a journal; `None` if only a newer Pallet knows its event.
pub(super) fn parse(line: &[u8]) -> Result<Option<Record>, String> {
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    Record::parse(line).map_err(|error| error.to_string())
}

pub(super) fn broken(path: &Path, line: usize, error: impl ToString) -> JournalError {
    JournalError::Broken { path: path.to_owned(), line, error: error.to_string() }
}

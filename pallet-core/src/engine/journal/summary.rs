//! What a list shows of a journal: its header and how the operation ended. Only the beginning and
//! the end of the file are read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::ending::Ending;
use super::error::JournalError;
use super::file::{open, parse};
use super::header::JournalHeader;
use crate::engine::{Event, Totals};

/// How much of the end is read, in bytes. The record of the end is far smaller, and only few
/// messages follow it.
const TAIL: u64 = 16 << 10;

/// The header of a journal, and how the operation ended.
#[derive(Debug, Clone)]
pub struct JournalSummary {
    /// The header.
    pub header: JournalHeader,
    /// How the operation ended.
    pub ending: Ending,
    /// The totals of the operation and how many seconds it took, if it finished.
    pub finished: Option<(Totals, f64)>,
}

impl JournalSummary {
    /// Reads the beginning and the end of a journal. `machine` is this machine and its boot.
    pub(super) fn read(path: &Path, machine: &str) -> Result<Self, JournalError> {
        let (header, reader) = open(path)?;
        let tail = tail(reader.into_inner())
            .map_err(|error| JournalError::io("read the journal", path, error))?;
        // the first of these lines may be cut, and the last one may be incomplete
        let records = tail.rsplit(|byte| *byte == b'\n').filter_map(|line| parse(line).ok()?);
        let finished = records.into_iter().find_map(|record| match record.event {
            Event::Finished { totals, seconds } => Some((totals, seconds)),
            _ => None,
        });
        let ending = Ending::of(&header, finished.as_ref().map(|(totals, _)| totals), machine);
        Ok(JournalSummary { header, ending, finished })
    }
}

fn tail(mut file: File) -> io::Result<Vec<u8>> {
    let size = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.take(TAIL).read_to_end(&mut tail)?;
    Ok(tail)
}

//! Writes the journal of an operation while it runs.

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use serde::Serialize;
use uuid::Uuid;

use super::header::JournalHeader;
use super::kept_output::KeptOutput;
use super::{EXTENSION, VERSION, directory};
use crate::engine::{EngineError, Event, Record, Sink, Vault};

/// Writes the records of one operation to a file, `<operation>.jsonl`, whose first line is a
/// [`JournalHeader`]. Dry runs are not written.
///
/// Each record is in the file once it was received, also if the process is killed then. Once it was
/// [committed](Sink::commit), a crash of the machine does not undo that. After the first error
/// nothing more is written, and every commit fails.
pub struct Journal {
    directory: PathBuf,
    header: JournalHeader,
    vault: Option<Arc<Vault>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The operation that this journal is for: the first one that it received a record of.
    operation: Option<String>,
    stage: Stage,
    output: KeptOutput,
    /// Directories with entries that a crash may undo.
    unsynced: Vec<PathBuf>,
    error: Option<String>,
}

enum Stage {
    /// The operation has not started. These lines come after the header.
    Waiting(Vec<Vec<u8>>),
    Writing(Writing),
    /// It is a dry run.
    Off,
}

#[derive(Clone)]
struct Writing {
    file: Arc<File>,
    path: PathBuf,
}

impl Default for Stage {
    fn default() -> Self {
        Stage::Waiting(Vec::new())
    }
}

impl Journal {
    /// A journal in this directory, which is created with it. The operation's ID in the header is
    /// filled in.
    pub fn new(directory: impl Into<PathBuf>, header: JournalHeader) -> Self {
        Journal { directory: directory.into(), header, vault: None, state: Mutex::default() }
    }

    /// Redacts the secrets of a vault in the header: in what the user wrote on the command line.
    /// (Records are redacted by the engine.)
    pub fn redacted(mut self, vault: Arc<Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// Fails if the journal cannot be created, before the operation begins: creates the directory
    /// and checks that it is writable.
    pub fn prepare(&self) -> Result<(), EngineError> {
        let failed = |error| EngineError::Journal(cannot_write(&self.directory, error));
        let changed = directory::create(&self.directory).map_err(failed)?;
        self.state().unsynced.extend(changed);
        directory::check_writable(&self.directory).map_err(failed)
    }

    /// The first error, if there was one: the journal is incomplete.
    pub fn error(&self) -> Option<String> {
        self.state().error.clone()
    }

    fn write(&self, state: &mut State, record: &Record) -> Result<(), String> {
        let Some(record) = state.output.of(record) else { return Ok(()) };
        let record = record.as_ref();
        let operation = state.operation.get_or_insert_with(|| record.operation.clone());
        if *operation != record.operation {
            return match record.event {
                Event::Started { .. } => Err(format!(
                    "cannot write the journal of operation {}: this journal is for {operation}; \
                     use one for each operation",
                    record.operation
                )),
                _ => Ok(()),
            };
        }
        let line = || line_of(record).map_err(|error| cannot_write(&self.directory, error));
        match (&mut state.stage, &record.event) {
            (Stage::Off, _) => {}
            (_, Event::Started { dry_run: true, .. }) => state.stage = Stage::Off,
            (Stage::Waiting(lines), Event::Started { .. }) => {
                let mut lines = std::mem::take(lines);
                lines.push(line()?);
                let writing = self.create(&record.operation, &mut state.unsynced)?;
                let written = lines.iter().try_for_each(|line| writing.write(line));
                state.stage = Stage::Writing(writing);
                written?;
            }
            (Stage::Waiting(lines), _) => lines.push(line()?),
            (Stage::Writing(writing), _) => writing.write(&line()?)?,
        }
        Ok(())
    }

    /// Creates the file, with its header.
    fn create(&self, operation: &str, unsynced: &mut Vec<PathBuf>) -> Result<Writing, String> {
        if Uuid::parse_str(operation).is_err() {
            return Err(format!("cannot write the journal of {operation:?}: it is no UUID"));
        }
        let changed = directory::create(&self.directory);
        unsynced.extend(changed.map_err(|error| cannot_write(&self.directory, error))?);
        unsynced.push(self.directory.clone());
        let mut header = JournalHeader {
            journal: VERSION,
            operation: operation.to_owned(),
            ..self.header.clone()
        };
        if let Some(vault) = &self.vault {
            header.redact(vault);
        }
        let header = line_of(&header).map_err(|error| cannot_write(&self.directory, error))?;
        let path = self.directory.join(format!("{operation}.{EXTENSION}"));
        let file = create_private(&path).map_err(|error| cannot_write(&path, error))?;
        let writing = Writing { file: Arc::new(file), path };
        if let Err(error) = writing.write(&header) {
            // without a header nobody can read it; it stays if even that fails
            let _ = std::fs::remove_file(&writing.path);
            return Err(error);
        }
        Ok(writing)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Journal {
    fn receive(&self, record: &Record) {
        let mut state = self.state();
        if state.error.is_none()
            && let Err(error) = self.write(&mut state, record)
        {
            state.error = Some(error);
        }
    }

    fn is_durable(&self) -> bool {
        true
    }

    fn commit(&self) -> Result<(), String> {
        let (writing, unsynced) = {
            let state = self.state();
            match (&state.error, &state.stage) {
                (Some(error), _) => return Err(error.clone()),
                (None, Stage::Writing(writing)) => (writing.clone(), state.unsynced.clone()),
                _ => return Ok(()),
            }
        };
        // without the lock: other nodes continue to report meanwhile
        let done = writing.sync(&unsynced);
        let mut state = self.state();
        match &done {
            Ok(()) => state.unsynced.clear(),
            Err(error) => state.error = Some(error.clone()),
        }
        done
    }
}

impl Writing {
    fn write(&self, line: &[u8]) -> Result<(), String> {
        write_all(&self.file, line).map_err(|error| cannot_write(&self.path, error))
    }

    fn sync(&self, directories: &[PathBuf]) -> Result<(), String> {
        self.file.sync_data().map_err(|error| cannot_write(&self.path, error))?;
        directories.iter().try_for_each(|changed| {
            directory::sync(changed).map_err(|error| cannot_write(changed, error))
        })
    }
}

/// A value as a line of JSON.
fn line_of(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

/// Creates a file that only its owner can read, whatever the umask.
fn create_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Writes a line with one system call. Only a file system that is nearly full takes a part of it;
/// the rest then gives the error.
pub(super) fn write_all(file: impl AsFd, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match rustix::io::write(&file, line) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => line = line.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn cannot_write(path: &Path, error: impl std::fmt::Display) -> String {
    format!("cannot write the journal {}: {error}", path.display())
}

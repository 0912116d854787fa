//! The input of a command: pieces from memory and from files, read chunk by chunk.

use std::path::{Path, PathBuf};
use std::vec;

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio_util::sync::CancellationToken;

use super::{Secret, TransportError};

/// How many bytes of a file are in memory at a time.
const CHUNK: usize = 256 * 1024;

/// The input of a command. The pieces are streamed in order; a file is never in memory as a whole.
#[derive(Debug, Clone, Default)]
pub struct Input(pub Vec<InputPart>);

/// One piece of a command's input.
#[derive(Debug, Clone)]
pub enum InputPart {
    /// Bytes in memory.
    Bytes(Vec<u8>),
    /// Bytes in memory that must not be shown.
    Secret(Secret),
    /// A file on this machine.
    File(PathBuf),
    /// The first bytes of a file on this machine: this many. A shorter file is an error.
    Beginning(PathBuf, u64),
    /// No more bytes, but no end of input either: the input stays open until the command or the
    /// connection ends.
    Open,
    /// Nothing more until the gate opens.
    Gate(Gate),
}

/// Holds back the input that follows it.
#[derive(Debug, Clone, Default)]
pub struct Gate(CancellationToken);

impl Gate {
    /// Lets the rest of the input through.
    pub fn open(&self) {
        self.0.cancel();
    }

    fn is_open(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Waits until the gate is open.
    pub(super) async fn opened(&self) {
        self.0.cancelled().await;
    }
}

impl Input {
    /// An empty input.
    pub fn none() -> Self {
        Input::default()
    }

    /// The content of a file on this machine.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Input(vec![InputPart::File(path.into())])
    }

    /// The number of bytes that can be read without opening a gate.
    pub async fn size(&self) -> Result<u64, TransportError> {
        let mut size = 0;
        for part in &self.0 {
            size += match part {
                InputPart::Bytes(bytes) => bytes.len() as u64,
                InputPart::Secret(secret) => secret.expose().len() as u64,
                InputPart::Open | InputPart::Gate(_) => 0,
                InputPart::Beginning(_, length) => *length,
                InputPart::File(path) => {
                    tokio::fs::metadata(path).await.map_err(|error| unreadable(path, &error))?.len()
                }
            };
        }
        Ok(size)
    }
}

impl From<Vec<u8>> for Input {
    fn from(bytes: Vec<u8>) -> Self {
        Input(vec![InputPart::Bytes(bytes)])
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        text.as_bytes().to_vec().into()
    }
}

struct OpenFile {
    file: File,
    path: PathBuf,
    /// How many bytes are still to be read; `None`: the rest of the file.
    left: Option<u64>,
}

/// Reads an input chunk by chunk.
pub(super) struct Feed {
    parts: vec::IntoIter<InputPart>,
    file: Option<OpenFile>,
    open: bool,
    gate: Option<Gate>,
}

impl Feed {
    pub(super) fn new(input: Input) -> Self {
        Feed { parts: input.0.into_iter(), file: None, open: false, gate: None }
    }

    /// Whether the input stays open after its last chunk.
    pub(super) fn stays_open(&self) -> bool {
        self.open
    }

    /// The gate that holds back the rest, if it is still closed.
    pub(super) fn gate(&self) -> Option<Gate> {
        self.gate.clone().filter(|gate| !gate.is_open())
    }

    /// The next chunk, never empty; `None` at the end or at a gate. Not cancellation-safe: dropping
    /// the future loses data.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        loop {
            if self.gate().is_some() {
                return Ok(None);
            }
            if let Some(open) = &mut self.file {
                let wanted = open
                    .left
                    .map_or(CHUNK, |left| usize::try_from(left).unwrap_or(CHUNK).min(CHUNK));
                let mut chunk = vec![0; wanted];
                let read = open
                    .file
                    .read(&mut chunk)
                    .await
                    .map_err(|error| unreadable(&open.path, &error))?;
                match (read, &mut open.left) {
                    (0, Some(1..)) => return Err(shrunk(&open.path)),
                    (0, _) => self.file = None,
                    (read, left) => {
                        *left = left.map(|left| left - read as u64);
                        chunk.truncate(read);
                        return Ok(Some(chunk));
                    }
                }
            }
            match self.parts.next() {
                None => return Ok(None),
                Some(InputPart::Open) => self.open = true,
                Some(InputPart::Gate(gate)) => self.gate = Some(gate),
                Some(InputPart::Bytes(bytes)) if bytes.is_empty() => {}
                Some(InputPart::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(InputPart::Secret(secret)) if secret.expose().is_empty() => {}
                Some(InputPart::Secret(secret)) => {
                    return Ok(Some(secret.expose().as_bytes().to_vec()));
                }
                Some(InputPart::File(path)) => self.open(path, None).await?,
                Some(InputPart::Beginning(path, length)) => self.open(path, Some(length)).await?,
            }
        }
    }

    async fn open(&mut self, path: PathBuf, left: Option<u64>) -> Result<(), TransportError> {
        let mut file = File::open(&path).await.map_err(|error| unreadable(&path, &error))?;
        file.set_max_buf_size(CHUNK);
        self.file = Some(OpenFile { file, path, left });
        Ok(())
    }
}

fn shrunk(path: &Path) -> TransportError {
    TransportError::Input {
        path: path.to_owned(),
        message: "the file shrank while it was read; try again".to_owned(),
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> TransportError {
    TransportError::Input { path: path.to_owned(), message: error.to_string() }
}

//! What a command reads: pieces from memory and files, read one chunk at a time.

use std::path::{Path, PathBuf};
use std::vec;

use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::{Secret, TransportError};

/// How much of a file is in memory at a time.
const CHUNK: usize = 256 * 1024;

/// What a command reads: pieces that are streamed one after the other, files never held whole in memory.
#[derive(Debug, Clone, Default)]
pub struct Input(pub Vec<InputPart>);

/// One piece of a command's input.
#[derive(Debug, Clone)]
pub enum InputPart {
    /// From memory.
    Bytes(Vec<u8>),
    /// From memory, and not to be shown.
    Secret(Secret),
    /// From a file of this machine.
    File(PathBuf),
    /// No more, and yet no end: the input ends when the command does, or the connection.
    Open,
}

impl Input {
    /// Nothing to read.
    pub fn none() -> Self {
        Input::default()
    }

    /// The content of a file of this machine.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Input(vec![InputPart::File(path.into())])
    }

    /// How many bytes there are to read now.
    pub async fn size(&self) -> Result<u64, TransportError> {
        let mut size = 0;
        for part in &self.0 {
            size += match part {
                InputPart::Bytes(bytes) => bytes.len() as u64,
                InputPart::Secret(secret) => secret.expose().len() as u64,
                InputPart::Open => 0,
                InputPart::File(path) => tokio::fs::metadata(path).await.map_err(|error| unreadable(path, &error))?.len(),
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

/// Hands out an input chunk by chunk.
pub(super) struct Feed {
    parts: vec::IntoIter<InputPart>,
    file: Option<(File, PathBuf)>,
    open: bool,
}

impl Feed {
    pub(super) fn new(input: Input) -> Self {
        Feed { parts: input.0.into_iter(), file: None, open: false }
    }

    /// Whether the input stays open behind its last chunk.
    pub(super) fn stays_open(&self) -> bool {
        self.open
    }

    /// The next chunk, which is never empty; `None` at the end. Not to be dropped halfway.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, TransportError> {
        loop {
            if let Some((file, path)) = &mut self.file {
                let mut chunk = vec![0; CHUNK];
                let read = file.read(&mut chunk).await.map_err(|error| unreadable(path, &error))?;
                if read > 0 {
                    chunk.truncate(read);
                    return Ok(Some(chunk));
                }
                self.file = None;
            }
            match self.parts.next() {
                None => return Ok(None),
                Some(InputPart::Open) => self.open = true,
                Some(InputPart::Bytes(bytes)) if bytes.is_empty() => {}
                Some(InputPart::Bytes(bytes)) => return Ok(Some(bytes)),
                Some(InputPart::Secret(secret)) if secret.expose().is_empty() => {}
                Some(InputPart::Secret(secret)) => return Ok(Some(secret.expose().as_bytes().to_vec())),
                Some(InputPart::File(path)) => {
                    let mut file = File::open(&path).await.map_err(|error| unreadable(&path, &error))?;
                    file.set_max_buf_size(CHUNK);
                    self.file = Some((file, path));
                }
            }
        }
    }
}

fn unreadable(path: &Path, error: &std::io::Error) -> TransportError {
    TransportError::Input { path: path.to_owned(), message: error.to_string() }
}

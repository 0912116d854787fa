//! The sources of a file's content.

use std::path::Path;
use std::sync::Arc;

use base64::Engine;

use super::super::download::{Checksum, Download};
use super::super::file_support::only_of_file;
use super::super::{ActionError, UploadSource, Workspace};
use crate::model::digest;
use crate::observe::Observation;
use crate::script::quote;

/// Maximum size of content, in bytes, that is embedded in the script.
const INLINE: u64 = 64 * 1024;

/// The directory on a node that records which URL each file came from.
const ORIGINS: &str = "/var/lib/pallet/origins";

/// The source of content.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum ContentSource {
    /// Content from this machine.
    Content(Content),
    /// From a URL.
    Download(Download),
    /// A file on the node.
    Node(String),
    /// No content: a link to this target.
    Link(String),
}

/// Content that is known on this machine.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Content {
    pub(in super::super) digest: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Text(String),
    Bytes(Vec<u8>),
    Large(UploadSource),
}

impl ContentSource {
    /// The text, if it is in memory.
    pub(in super::super) fn text(&self) -> Option<&str> {
        match self {
            ContentSource::Content(Content { kind: Kind::Text(text), .. }) => Some(text),
            _ => None,
        }
    }

    /// Identifies the content.
    pub(in super::super) fn identity(&self) -> String {
        match self {
            ContentSource::Content(content) => content.digest.clone(),
            ContentSource::Download(download) => format!("{download:?}"),
            ContentSource::Node(path) | ContentSource::Link(path) => path.clone(),
        }
    }
}

impl Content {
    /// The content of a file of the project. Unless it must be `at_hand`, a large file is read only
    /// when it is uploaded.
    pub(in super::super) fn of_file(
        workspace: &dyn Workspace,
        path: &Path,
        at_hand: bool,
    ) -> Result<Self, ActionError> {
        let (digest, size, absolute) = workspace.digest(path)?;
        if size > INLINE || !at_hand {
            return Ok(Content { digest, kind: Kind::Large(UploadSource::File(absolute)) });
        }
        Ok(Content::of(workspace.read(path)?))
    }

    /// Content in memory.
    pub(in super::super) fn of(content: Vec<u8>) -> Self {
        let digest = digest(&content);
        if content.len() as u64 > INLINE {
            return Content { digest, kind: Kind::Large(UploadSource::Bytes(Arc::from(content))) };
        }
        let kind = match String::from_utf8(content) {
            Ok(text) if !text.contains('\0') => Kind::Text(text),
            Ok(text) => Kind::Bytes(text.into_bytes()),
            Err(error) => Kind::Bytes(error.into_bytes()),
        };
        Content { digest, kind }
    }

    /// The memory that it takes, in bytes.
    pub(in super::super) fn size(&self) -> usize {
        match &self.kind {
            Kind::Text(text) => text.len(),
            Kind::Bytes(bytes) => bytes.len(),
            Kind::Large(_) => 0,
        }
    }

    /// The content as text, unless it is large or not text.
    pub(in super::super) fn text(&self) -> Option<String> {
        match &self.kind {
            Kind::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The upload that the script needs, if any.
    pub(in super::super) fn upload(&self) -> Option<UploadSource> {
        match &self.kind {
            Kind::Large(source) => Some(source.clone()),
            _ => None,
        }
    }

    /// The shell function `content`, which prints it; its optional argument is the path of the file
    /// that it prints to.
    pub(in super::super) fn script(&self) -> String {
        match &self.kind {
            Kind::Text(text) => format!("content() {{ printf %s {}; }}\n", quote(text)),
            Kind::Bytes(bytes) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
                let lines: String = encoded
                    .as_bytes()
                    .chunks(76)
                    .map(|line| String::from_utf8_lossy(line) + "\n")
                    .collect();
                format!("content() {{ base64 -d <<'END'\n{lines}END\n}}\n")
            }
            Kind::Large(_) => format!("content() {{ received {} \"$1\"; }}\n", self.digest),
        }
    }
}

impl ContentSource {
    /// The digest of the content, if known without asking the node.
    pub(in super::super) fn digest(&self) -> Option<&str> {
        match self {
            ContentSource::Content(content) => Some(&content.digest),
            ContentSource::Download(download) => match &download.checksum {
                Checksum::Sha256(digest) => Some(digest),
                _ => None,
            },
            ContentSource::Node(_) | ContentSource::Link(_) => None,
        }
    }

    /// The shell function `content`.
    pub(in super::super) fn script(&self) -> String {
        match self {
            ContentSource::Content(content) => content.script(),
            ContentSource::Download(download) => {
                format!("content() {{\n{}}}\n", download.script("\"$1\""))
            }
            ContentSource::Node(path) => {
                format!("read_from {}\ncontent() {{ cat -- \"$source\"; }}\n", quote(path))
            }
            ContentSource::Link(_) => String::new(),
        }
    }

    /// Asks for the state that tells whether the file at `path` has the content.
    pub(super) fn observe(&self, path: &str, wanted: &mut Observation) {
        if let Some(digest) = self.digest() {
            wanted.content(path, digest);
            return;
        }
        wanted.written(path);
        match self {
            ContentSource::Node(source) => wanted.digest(source),
            ContentSource::Download(download) => match &download.checksum {
                Checksum::Md5(_) => wanted.reading_of(path, &md5_of(path)),
                _ => wanted.content(&note(path), &digest(note_text(download).as_bytes())),
            },
            ContentSource::Content(_) | ContentSource::Link(_) => {}
        }
    }
}

/// A command that prints the MD5 digest of a file.
pub(super) fn md5_of(path: &str) -> String {
    only_of_file(path, &format!("md5sum <{}", quote(path)))
}

/// The file on the node that records which URL the file at `path` came from.
pub(super) fn note(path: &str) -> String {
    format!("{ORIGINS}{path}")
}

/// The content of that file.
pub(super) fn note_text(download: &Download) -> String {
    format!("{}\n", download.origin())
}

//! The change of an action, as data: shown by a dry run, compiled into a script by an apply.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::PackageTransaction;
use crate::script::Script;

/// One change to one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// Whether it surely changes something.
    pub certainty: Certainty,
    /// The change, in one line: `create`, `mode 0644 -> 0600`.
    pub summary: String,
    /// A diff for people: lines that begin with `+`, `-` or a space. May be empty.
    pub diff: String,
    /// The script that makes the change; empty for [`Certainty::Drifted`]. It checks the current
    /// state itself, so it also works for [`Certainty::May`].
    pub script: Script,
    /// Content that must be uploaded to the node before the script runs.
    pub uploads: Vec<Upload>,
    /// Packages to install or remove; the engine joins them with those of neighbouring changes into
    /// one transaction.
    pub packages: Option<PackageTransaction>,
    /// Whether the script uses the ssh agent of the machine that Pallet runs on, by calling
    /// `lend_agent`.
    pub agent: bool,
}

/// How certain a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The node differs from the declaration.
    Will,
    /// The node may differ: it is only known after the changes before it.
    May,
    /// The node differs because somebody changed by hand what Pallet wrote. This is reported and
    /// kept, unless overwriting was requested.
    Drifted,
}

/// Content that is uploaded separately from the script, because it is large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The SHA-256 digest of the content, in hexadecimal; the script finds the content at
    /// `$incoming/<digest>`.
    pub digest: String,
    /// The source of the content.
    pub source: UploadSource,
    /// The path that the content will have on the node, if there is just one. A file with this
    /// digest may already be there.
    pub path: Option<String>,
}

/// The source of an upload. Content in memory is omitted when it is serialized.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "WrittenSource", from = "WrittenSource")]
pub enum UploadSource {
    /// From memory.
    Bytes(Arc<[u8]>),
    /// From a file of this machine.
    File(PathBuf),
    /// Omitted when serialized: only the digest and the size are known.
    LeftOut {
        /// The size in bytes.
        size: u64,
    },
}

/// The serialized form of an [`UploadSource`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenSource {
    Content { size: u64 },
    File(PathBuf),
}

impl From<UploadSource> for WrittenSource {
    fn from(source: UploadSource) -> Self {
        match source {
            UploadSource::Bytes(bytes) => WrittenSource::Content { size: bytes.len() as u64 },
            UploadSource::LeftOut { size } => WrittenSource::Content { size },
            UploadSource::File(path) => WrittenSource::File(path),
        }
    }
}

impl From<WrittenSource> for UploadSource {
    fn from(source: WrittenSource) -> Self {
        match source {
            WrittenSource::Content { size } => UploadSource::LeftOut { size },
            WrittenSource::File(path) => UploadSource::File(path),
        }
    }
}

impl Change {
    /// A certain change.
    pub fn will(summary: impl Into<String>, script: Script) -> Self {
        Change {
            certainty: Certainty::Will,
            summary: summary.into(),
            diff: String::new(),
            script,
            uploads: Vec::new(),
            packages: None,
            agent: false,
        }
    }

    /// A change that the node decides on.
    pub fn may(summary: impl Into<String>, script: Script) -> Self {
        Change { certainty: Certainty::May, ..Change::will(summary, script) }
    }

    /// A change by hand, with what overwriting it would change.
    pub fn drifted(summary: impl Into<String>) -> Self {
        Change { certainty: Certainty::Drifted, ..Change::will(summary, Script::new()) }
    }

    /// Adds a diff.
    pub fn with_diff(mut self, diff: impl Into<String>) -> Self {
        self.diff = diff.into();
        self
    }

    /// Sets whether the script uses the ssh agent of the machine that Pallet runs on.
    pub fn with_agent(mut self, agent: bool) -> Self {
        self.agent = agent;
        self
    }

    /// Whether its script runs the package manager to install, upgrade or remove something.
    #[cfg(feature = "host")]
    pub(crate) fn is_of_packages(&self) -> bool {
        self.packages.is_some() || crate::script::packages::is_transaction(&self.script)
    }

    /// Adds an upload.
    pub fn with_upload(mut self, upload: Upload) -> Self {
        self.uploads.push(upload);
        self
    }
}

/// One change that makes all of these, in order. Changes by hand are reported only if nothing else
/// is to be done.
pub(super) fn joined(changes: impl IntoIterator<Item = Option<Change>>) -> Option<Change> {
    changes.into_iter().flatten().reduce(|mut first, second| {
        let script = Script::new().raw(first.script.as_str()).raw(second.script.as_str());
        first.script = script;
        first.certainty = match (first.certainty, second.certainty) {
            (Certainty::Will, _) | (_, Certainty::Will) => Certainty::Will,
            (Certainty::May, _) | (_, Certainty::May) => Certainty::May,
            (Certainty::Drifted, Certainty::Drifted) => Certainty::Drifted,
        };
        if first.summary != second.summary {
            first.summary = format!("{}, {}", first.summary, second.summary);
        }
        first.diff.push_str(&second.diff);
        first.uploads.extend(second.uploads);
        first.packages = None;
        first
    })
}

//! What an action would change, as data: shown by a dry run, compiled into a script by an apply.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::PackageTransaction;
use crate::script::Script;

/// One change to one node.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// Whether it is sure to change something.
    pub certainty: Certainty,
    /// What it does, in one line: `create`, `mode 0644 -> 0600`.
    pub summary: String,
    /// What a person wants to see of the difference: lines that begin with `+`, `-` or a space. May
    /// be empty.
    pub diff: String,
    /// What brings the node there; empty for [`Certainty::Drifted`]. It checks for itself, so it is
    /// right for [`Certainty::May`] too.
    pub script: Script,
    /// Content that must be on the node before the script runs.
    pub uploads: Vec<Upload>,
    /// Packages to install or remove, which the engine joins with those of its neighbours into one
    /// transaction.
    pub packages: Option<PackageTransaction>,
    /// Whether the script uses the ssh agent of the machine that Pallet runs on: it calls
    /// `lend_agent`.
    pub agent: bool,
}

/// Whether a change is sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// The node differs from what is wanted.
    Will,
    /// The node may differ: it can be known only after the changes before it.
    May,
    /// The node differs because somebody changed by hand what Pallet wrote: it is reported and
    /// kept, unless overwriting was asked for.
    Drifted,
}

/// Content that travels apart from the script, because it is large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The SHA-256 digest of the content, in hexadecimal; the script finds the content at
    /// `$incoming/<digest>`.
    pub digest: String,
    /// Where it comes from.
    pub source: UploadSource,
    /// Where it will stand on the node, if that is one path: a file with the digest may stand there
    /// already.
    pub path: Option<String>,
}

/// Where an upload comes from. Content in memory is left out when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "WrittenSource", from = "WrittenSource")]
pub enum UploadSource {
    /// From memory.
    Bytes(Arc<[u8]>),
    /// From a file of this machine.
    File(PathBuf),
    /// It was left out: only its digest and its size in bytes are known.
    LeftOut {
        /// The size in bytes.
        size: u64,
    },
}

/// An [`UploadSource`] as it is written.
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
    /// A change that is sure.
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

    /// A change that is decided on the node.
    pub fn may(summary: impl Into<String>, script: Script) -> Self {
        Change { certainty: Certainty::May, ..Change::will(summary, script) }
    }

    /// What would be changed if overwriting were asked for.
    pub fn drifted(summary: impl Into<String>) -> Self {
        Change { certainty: Certainty::Drifted, ..Change::will(summary, Script::new()) }
    }

    /// The same with a diff to show.
    pub fn with_diff(mut self, diff: impl Into<String>) -> Self {
        self.diff = diff.into();
        self
    }

    /// The same with a script that uses the ssh agent of the machine that Pallet runs on, if it
    /// does.
    pub fn with_agent(mut self, agent: bool) -> Self {
        self.agent = agent;
        self
    }

    /// The same with content that travels apart.
    pub fn with_upload(mut self, upload: Upload) -> Self {
        self.uploads.push(upload);
        self
    }
}

/// One change that makes all of these, in order. What was changed by hand is reported only where
/// nothing else is to be done.
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

//! Why an artifact cannot be read or written. Each error is one line.

use std::path::Path;

use thiserror::Error;

use crate::plugins::TreeError;

/// Why an artifact cannot be read or written.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// An invalid source.
    #[error("{source_text:?} is not a source of plugins: {message}")]
    Source {
        /// The source, as the user wrote it.
        source_text: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// The registry does not answer, or the connection broke. A retry may help.
    #[error("{place}: {message}")]
    Unreachable {
        /// The registry.
        place: String,
        /// What happened, and what to do.
        message: String,
    },
    /// The registry requires other credentials.
    #[error("{place}: {message}")]
    Unauthorized {
        /// The registry.
        place: String,
        /// What it requires, and what to do.
        message: String,
    },
    /// Something does not exist there.
    #[error("{place} has no {what}")]
    NotFound {
        /// The source.
        place: String,
        /// What was asked for.
        what: String,
    },
    /// Content that does not match its digest.
    #[error("{place}: {what} was changed or damaged: {message}; nothing of it was used")]
    Corrupt {
        /// The source.
        place: String,
        /// The damaged content.
        what: String,
        /// How it differs.
        message: String,
    },
    /// Something that exists but is not a plugin for this version of Pallet.
    #[error("{place}: {message}")]
    NotAPlugin {
        /// The source, and the part of it that was read.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// A refusal, or an invalid answer.
    #[error("{place}: {message}")]
    Refused {
        /// The source.
        place: String,
        /// What it answered, and what to do.
        message: String,
    },
    /// A registry, in a build without support for registries.
    #[error(
        "{place}: this pallet-cli was built without registries; build it with `cargo build \
        --release -p pallet-cli --features registries`, install a release, or use a directory"
    )]
    NotBuilt {
        /// The registry.
        place: String,
    },
    /// A file on this machine that cannot be read or written.
    #[error("cannot {verb} {path}: {error}")]
    File {
        /// `read` or `write`.
        verb: &'static str,
        /// The file.
        path: String,
        /// Why.
        error: std::io::Error,
    },
}

impl ArtifactError {
    /// Wraps an error of reading a file.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| ArtifactError::File { verb: "read", path, error }
    }

    /// Wraps an error of writing a file.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| ArtifactError::File { verb: "write", path, error }
    }

    /// Whether the thing does not exist. Other errors mean that nobody knows.
    pub fn is_not_found(&self) -> bool {
        matches!(self, ArtifactError::NotFound { .. })
    }
}

impl From<TreeError> for ArtifactError {
    fn from(error: TreeError) -> Self {
        ArtifactError::reading(&error.path)(error.error)
    }
}

//! Why an artifact cannot be read or written, in one line each.

use std::path::Path;

use thiserror::Error;

use crate::plugins::TreeError;

/// An artifact that cannot be read or written, and why.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// A source that cannot be understood.
    #[error("{source_text:?} is not a source of plugins: {message}")]
    Source {
        /// What was written.
        source_text: String,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// Nothing answers there, or it stopped to answer: may work later.
    #[error("{place}: {message}")]
    Unreachable {
        /// The registry.
        place: String,
        /// What happened, and what to do.
        message: String,
    },
    /// The registry wants other credentials.
    #[error("{place}: {message}")]
    Unauthorized {
        /// The registry.
        place: String,
        /// What it wants, and what to do.
        message: String,
    },
    /// There is no such thing there.
    #[error("{place} has no {what}")]
    NotFound {
        /// The source.
        place: String,
        /// What was asked for.
        what: String,
    },
    /// Content that is not what its digest says.
    #[error("{place}: {what} was changed or damaged: {message}; nothing of it was used")]
    Corrupt {
        /// The source.
        place: String,
        /// What was read.
        what: String,
        /// How it differs.
        message: String,
    },
    /// Something that is there, and is no plugin for this Pallet.
    #[error("{place}: {message}")]
    NotAPlugin {
        /// The source, with what was read of it.
        place: String,
        /// What is wrong with it.
        message: String,
    },
    /// An answer that makes no sense, or a refusal.
    #[error("{place}: {message}")]
    Refused {
        /// The source.
        place: String,
        /// What it answered, and what to do.
        message: String,
    },
    /// A registry, in a build that cannot speak to one.
    #[error(
        "{place}: this pallet-cli was built without registries; build it with `cargo build \
        --release -p pallet-cli --features registries`, install a release, or use a directory"
    )]
    NotBuilt {
        /// The registry.
        place: String,
    },
    /// A file of this machine that cannot be read or written.
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
    /// A file that cannot be read.
    pub(crate) fn reading(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| ArtifactError::File { verb: "read", path, error }
    }

    /// A file that cannot be written.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |error| ArtifactError::File { verb: "write", path, error }
    }

    /// Whether there is no such thing, as against a failure to look.
    pub fn is_not_found(&self) -> bool {
        matches!(self, ArtifactError::NotFound { .. })
    }
}

impl From<TreeError> for ArtifactError {
    fn from(error: TreeError) -> Self {
        ArtifactError::reading(&error.path)(error.error)
    }
}

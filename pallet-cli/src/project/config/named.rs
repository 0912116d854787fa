//! A name with its place.

use crate::diagnostic::SourceSpan;

/// A name, and its place in a file.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    /// The name.
    pub(crate) name: String,
    /// The place.
    pub(crate) place: SourceSpan,
}

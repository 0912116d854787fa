//! A reference to one version in a repository.

use std::fmt;

use semver::Version;

use crate::distribution::artifact::Digest;

/// The content to read from a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// A version, by its tag.
    Version(Version),
    /// Exactly this content.
    Digest(Digest),
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Version(version) => version.fmt(f),
            Reference::Digest(digest) => digest.fmt(f),
        }
    }
}

/// The tag of a version.
pub(super) fn tag(version: &Version) -> String {
    version.to_string().replace('+', "_")
}

/// The version in a tag; `None` if the tag is not a version.
pub(super) fn version(tag: &str) -> Option<Version> {
    tag.replace('_', "+").parse().ok()
}

/// The tag with the referrers of `subject`, for registries that do not list referrers themselves.
pub(super) fn referrers_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

//! The origin of a locked plugin.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::distribution::artifact::ArtifactError;
use crate::distribution::repository::Source;

/// The origin of a locked plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// A repository: `oci://HOST/PATH` or `layout:DIR#PATH`.
    Repository(Source),
    /// A tar of an OCI image layout, or of a plugin's files: `archive:PATH` or
    /// `archive:PATH#REPOSITORY`.
    Archive {
        /// The file.
        file: PathBuf,
        /// The repository in the layout; empty if there is only one.
        path: String,
    },
    /// A library: `file:PATH`.
    File(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Repository(source) => source.fmt(f),
            Origin::Archive { file, path } if path.is_empty() => {
                write!(f, "archive:{}", file.display())
            }
            Origin::Archive { file, path } => write!(f, "archive:{}#{path}", file.display()),
            Origin::File(file) => write!(f, "file:{}", file.display()),
        }
    }
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(file) = text.strip_prefix("file:") {
            return Ok(Origin::File(file.into()));
        }
        if let Some(rest) = text.strip_prefix("archive:") {
            let (file, path) = rest.rsplit_once('#').unwrap_or((rest, ""));
            return Ok(Origin::Archive { file: file.into(), path: path.to_owned() });
        }
        text.parse().map(Origin::Repository).map_err(|error: ArtifactError| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Origin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

//! Where the versions of a plugin are stored, as users write it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::distribution::artifact::ArtifactError;
use crate::model::PluginKind;
use crate::plugins::kind_word;

/// Where the versions of one plugin are stored, or those of several plugins with a common path
/// prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A path on an OCI registry: `oci://HOST[:PORT]/PATH`.
    Registry {
        /// The registry, with its port if it has one.
        host: String,
        /// The repository, or the prefix of several; may be empty.
        path: String,
    },
    /// A path in an OCI image layout in a directory: `layout:DIR` or `layout:DIR#PATH`.
    Layout {
        /// The directory.
        directory: PathBuf,
        /// The repository in it, or the prefix of several; may be empty.
        path: String,
    },
}

impl Source {
    /// The repository, or the prefix of several, in the registry or layout.
    pub fn path(&self) -> &str {
        match self {
            Source::Registry { path, .. } | Source::Layout { path, .. } => path,
        }
    }

    /// The same registry or layout, with another path.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        let mut other = self.clone();
        match &mut other {
            Source::Registry { path: own, .. } | Source::Layout { path: own, .. } => {
                path.clone_into(own)
            }
        }
        other
    }

    /// The source of a plugin under this one: `<path>/<kind>/<name>`, or this source if its path
    /// already ends like that.
    #[must_use]
    pub fn of_plugin(&self, kind: PluginKind, name: &str) -> Self {
        let end = format!("{}/{name}", kind_word(kind));
        match self.path() {
            "" => self.with_path(&end),
            path if path == end || path.ends_with(&format!("/{end}")) => self.clone(),
            path => self.with_path(&format!("{path}/{end}")),
        }
    }

    /// The prefix of other plugins next to this one: the path without `<kind>/<name>` at its end.
    #[must_use]
    pub fn prefix(&self) -> Self {
        let mut words: Vec<&str> = self.path().split('/').collect();
        let kind = words.len().checked_sub(2).map(|index| words[index]);
        if matches!(kind, Some("crate" | "provider")) {
            words.truncate(words.len() - 2);
        }
        self.with_path(&words.join("/"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Registry { host, path } if path.is_empty() => write!(f, "oci://{host}"),
            Source::Registry { host, path } => write!(f, "oci://{host}/{path}"),
            Source::Layout { directory, path } if path.is_empty() => {
                write!(f, "layout:{}", directory.display())
            }
            Source::Layout { directory, path } => {
                write!(f, "layout:{}#{path}", directory.display())
            }
        }
    }
}

impl FromStr for Source {
    type Err = ArtifactError;

    fn from_str(text: &str) -> Result<Self, ArtifactError> {
        let wrong = |message: &str| ArtifactError::Source {
            source_text: text.to_owned(),
            message: message.to_owned(),
        };
        if let Some(rest) = text.strip_prefix("oci://") {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let path = path.trim_end_matches('/');
            if host.is_empty()
                || !host
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
            {
                return Err(wrong("write oci://HOST/PATH, or oci://HOST:PORT/PATH"));
            }
            if !path.is_empty() && !is_repository_path(path) {
                return Err(wrong(
                    "a path has words of a-z, 0-9, and . _ - between them, with / in between",
                ));
            }
            return Ok(Source::Registry { host: host.to_owned(), path: path.to_owned() });
        }
        if let Some(rest) = text.strip_prefix("layout:") {
            let (directory, path) = rest.rsplit_once('#').unwrap_or((rest, ""));
            if directory.is_empty() || (!path.is_empty() && !is_repository_path(path)) {
                return Err(wrong("write layout:DIRECTORY, or layout:DIRECTORY#PATH"));
            }
            return Ok(Source::Layout {
                directory: PathBuf::from(directory),
                path: path.to_owned(),
            });
        }
        if Path::new(text).join("oci-layout").is_file() {
            return Ok(Source::Layout { directory: PathBuf::from(text), path: String::new() });
        }
        Err(wrong("write oci://HOST/PATH, or layout:DIRECTORY"))
    }
}

/// OCI's grammar of names: lower-case words, with single separators inside them and `/` between
/// them.
fn is_repository_path(path: &str) -> bool {
    path.split('/').all(|word| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let bytes = word.as_bytes();
        let ends_plain = bytes.first().is_some_and(|byte| plain(*byte))
            && bytes.last().is_some_and(|byte| plain(*byte));
        let separators: Vec<&str> = word
            .split(|letter: char| letter.is_ascii_alphanumeric())
            .filter(|text| !text.is_empty())
            .collect();
        let allowed = |text: &&str| {
            matches!(*text, "." | "_" | "__") || text.bytes().all(|byte| byte == b'-')
        };
        ends_plain
            && bytes.iter().all(|byte| plain(*byte) || b"._-".contains(byte))
            && separators.iter().all(allowed)
    })
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_written_and_read_alike() {
        for text in [
            "oci://ghcr.io/acme/pallet/crate/nginx",
            "oci://[::1]:5000/a",
            "oci://localhost:5000",
            "layout:/srv/m",
            "layout:m#crate/tls",
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_source_is_refused_in_one_line() {
        for text in [
            "",
            "oci://",
            "oci:///a",
            "oci://h/A",
            "oci://h/a//b",
            "oci://h/a:1",
            "oci://h/-a",
            "oci://h/a..b",
            "layout:",
            "https://h/a",
            "/none",
        ] {
            let message = text.parse::<Source>().unwrap_err().to_string();
            assert!(!message.contains('\n'), "{message}");
        }
    }

    #[test]
    fn a_plugin_stands_under_a_prefix_by_kind_and_name() {
        let prefix: Source = "oci://h/acme".parse().unwrap();
        let full = prefix.of_plugin(PluginKind::Crate, "nginx");
        assert_eq!(full.to_string(), "oci://h/acme/crate/nginx");
        assert_eq!(full.of_plugin(PluginKind::Crate, "nginx"), full);
        assert_eq!(full.prefix(), prefix);
        assert_eq!(full.prefix().of_plugin(PluginKind::Crate, "tls").path(), "acme/crate/tls");
        let bare: Source = "layout:/m".parse().unwrap();
        assert_eq!(
            bare.of_plugin(PluginKind::Provider, "ec2").to_string(),
            "layout:/m#provider/ec2"
        );
        assert_eq!(bare.of_plugin(PluginKind::Provider, "ec2").prefix(), bare);
    }
}

//! The descriptions of a source for each package manager.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::ActionError;

const NAME: &str = "package_source";

/// A source for apt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AptSource {
    /// URL of the repository: `https://deb.example.com/debian`.
    pub url: String,
    /// Release. Default: the code name of the node's release. A release that ends with `/` is a
    /// path, and has no components.
    #[serde(default)]
    pub release: Option<String>,
    /// Components. Default: `main`.
    #[serde(default)]
    pub components: Option<Vec<String>>,
    /// `deb` for packages, `deb-src` for their sources. Default: `deb`.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// Architectures. Default: the node's.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// URL of the key that signs the repository. The node fetches it once.
    #[serde(default)]
    pub key_url: Option<String>,
    /// Key that signs the repository: its text, or the path of a file of the project.
    #[serde(default)]
    pub key: Option<String>,
    /// Absolute path of a file on the node with the keys that may sign the repository.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Allow packages without a valid signature.
    #[serde(default)]
    pub allow_unsigned: bool,
}

/// A source for dnf and yum.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnfSource {
    /// URL of the repository.
    #[serde(default)]
    pub url: Option<String>,
    /// URL of a list of mirrors.
    #[serde(default)]
    pub mirrorlist: Option<String>,
    /// URL of a metalink.
    #[serde(default)]
    pub metalink: Option<String>,
    /// URL of the key that signs the packages.
    #[serde(default)]
    pub gpgkey: Option<String>,
    /// Require signed packages. Default: true if there is a `gpgkey`.
    #[serde(default)]
    pub gpgcheck: Option<bool>,
    /// Priority: 1 comes before 99.
    #[serde(default)]
    pub priority: Option<u32>,
    /// Use the repository for all packages. If false, only for packages that enable it. Default:
    /// true.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A source for zypper.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZypperSource {
    /// URL of the repository.
    #[serde(default)]
    pub url: Option<String>,
    /// URL of a list of mirrors.
    #[serde(default)]
    pub mirrorlist: Option<String>,
    /// URL of the key that signs the repository. The node fetches it once, and trusts it.
    #[serde(default)]
    pub gpgkey: Option<String>,
    /// Require signatures. Default: true if there is a `gpgkey`.
    #[serde(default)]
    pub gpgcheck: Option<bool>,
    /// Priority: 1 comes before 99.
    #[serde(default)]
    pub priority: Option<u32>,
    /// Use the repository. Default: true.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Refresh the repository's lists automatically. Default: true.
    #[serde(default)]
    pub autorefresh: Option<bool>,
}

/// A source for pacman.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacmanSource {
    /// URL of the repository: `https://example.com/$repo/os/$arch`.
    pub server: String,
    /// Required signatures. Default: that of `/etc/pacman.conf`.
    #[serde(default)]
    pub siglevel: Option<String>,
}

/// A source for apk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApkSource {
    /// URL of the repository: `https://dl-cdn.alpinelinux.org/alpine/edge/testing`.
    pub url: String,
    /// Limit the source to packages that request this tag with `enable`.
    #[serde(default)]
    pub tag: Option<String>,
}

fn wrong<T>(message: impl Into<String>) -> Result<T, ActionError> {
    Err(ActionError::arguments(NAME, message))
}

/// Refuses text that cannot be a single line of a file.
pub(super) fn require_line(what: &str, text: &str) -> Result<(), ActionError> {
    match text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        // the text may contain a password
        true => wrong(format!("{what} is empty, or is not one line")),
        false => Ok(()),
    }
}

fn require_word(what: &str, text: &str) -> Result<(), ActionError> {
    match text.contains(char::is_whitespace) {
        true => wrong(format!("{what} holds a space")),
        false => require_line(what, text),
    }
}

impl AptSource {
    pub(super) fn check(&self) -> Result<(), ActionError> {
        require_word("the url", &self.url)?;
        self.release.iter().try_for_each(|release| require_word("the release", release))?;
        let lists = [
            self.components.as_deref(),
            self.types.as_deref(),
            Some(self.architectures.as_slice()),
        ];
        lists
            .into_iter()
            .flatten()
            .flatten()
            .try_for_each(|word| require_word("a component, type or architecture", word))?;
        if let Some(kind) =
            self.types.iter().flatten().find(|kind| !["deb", "deb-src"].contains(&kind.as_str()))
        {
            return wrong(format!("the type {kind:?} is not one of \"deb\", \"deb-src\""));
        }
        if let Some(path) = &self.signed_by {
            super::super::file_support::require_absolute(NAME, path)?;
            require_word("signed_by", path)?;
        }
        let given = [
            self.key_url.is_some(),
            self.key.is_some(),
            self.signed_by.is_some(),
            self.allow_unsigned,
        ];
        if given.iter().filter(|given| **given).count() > 1 {
            return wrong("give at most one of key_url, key, signed_by and allow_unsigned");
        }
        Ok(())
    }
}

/// Refuses anything but exactly one URL, and values that are not one line.
fn check_repository(
    urls: &[(&str, &Option<String>)],
    gpgkey: &Option<String>,
) -> Result<(), ActionError> {
    for (what, url) in urls.iter().chain([&("gpgkey", gpgkey)]) {
        url.iter().try_for_each(|url| require_word(&format!("the {what}"), url))?;
    }
    match urls.iter().filter(|(_, url)| url.is_some()).count() {
        1 => Ok(()),
        _ => wrong(format!(
            "give exactly one of {}",
            urls.iter().map(|(what, _)| *what).collect::<Vec<_>>().join(", ")
        )),
    }
}

impl DnfSource {
    pub(super) fn check(&self) -> Result<(), ActionError> {
        check_repository(
            &[("url", &self.url), ("mirrorlist", &self.mirrorlist), ("metalink", &self.metalink)],
            &self.gpgkey,
        )
    }
}

impl ZypperSource {
    pub(super) fn check(&self) -> Result<(), ActionError> {
        check_repository(&[("url", &self.url), ("mirrorlist", &self.mirrorlist)], &self.gpgkey)
    }
}

impl PacmanSource {
    pub(super) fn check(&self) -> Result<(), ActionError> {
        require_word("the server", &self.server)?;
        self.siglevel.iter().try_for_each(|level| require_line("the siglevel", level))
    }
}

impl ApkSource {
    pub(super) fn check(&self) -> Result<(), ActionError> {
        require_word("the url", &self.url)?;
        match &self.tag {
            Some(tag)
                if tag.is_empty()
                    || !tag
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) =>
            {
                wrong(format!("{tag:?} is not a tag"))
            }
            _ => Ok(()),
        }
    }
}

//! What a source is to each package manager.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::ActionError;

const NAME: &str = "package_source";

/// A source for apt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AptSource {
    /// Where it is: `https://deb.example.com/debian`.
    pub url: String,
    /// The release; by default the code name of the node's own. One that ends with `/` is a path,
    /// and has no components.
    #[serde(default)]
    pub release: Option<String>,
    /// The components; by default `main`.
    #[serde(default)]
    pub components: Option<Vec<String>>,
    /// `deb` for packages, which is the default, `deb-src` for their sources.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// The architectures; by default the node's.
    #[serde(default)]
    pub architectures: Vec<String>,
    /// Where the node fetches the key that signs it, once.
    #[serde(default)]
    pub key_url: Option<String>,
    /// The key that signs it: its text, or the path of a file of the project.
    #[serde(default)]
    pub key: Option<String>,
    /// The absolute path of a file of the node with the keys that may sign it.
    #[serde(default)]
    pub signed_by: Option<String>,
    /// Takes packages from it that nothing signs.
    #[serde(default)]
    pub allow_unsigned: bool,
}

/// A source for dnf and yum.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnfSource {
    /// Where it is.
    #[serde(default)]
    pub url: Option<String>,
    /// Where a list of its mirrors is.
    #[serde(default)]
    pub mirrorlist: Option<String>,
    /// Where a metalink of it is.
    #[serde(default)]
    pub metalink: Option<String>,
    /// The URL of the key that signs its packages.
    #[serde(default)]
    pub gpgkey: Option<String>,
    /// Whether packages must be signed; by default whether there is a key.
    #[serde(default)]
    pub gpgcheck: Option<bool>,
    /// The priority: 1 comes before 99.
    #[serde(default)]
    pub priority: Option<u32>,
    /// Whether it is used unless a package asks for it; by default it is.
    #[serde(default)]
    pub enabled: Option<bool>,
}

/// A source for zypper.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ZypperSource {
    /// Where it is.
    #[serde(default)]
    pub url: Option<String>,
    /// Where a list of its mirrors is.
    #[serde(default)]
    pub mirrorlist: Option<String>,
    /// The URL of the key that signs it. The node fetches it once, and trusts it.
    #[serde(default)]
    pub gpgkey: Option<String>,
    /// Whether it must be signed; by default whether there is a key.
    #[serde(default)]
    pub gpgcheck: Option<bool>,
    /// The priority: 1 comes before 99.
    #[serde(default)]
    pub priority: Option<u32>,
    /// Whether it is used; by default it is.
    #[serde(default)]
    pub enabled: Option<bool>,
    /// Whether its lists are fetched again by themselves; by default they are.
    #[serde(default)]
    pub autorefresh: Option<bool>,
}

/// A source for pacman.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PacmanSource {
    /// Where it is: `https://example.com/$repo/os/$arch`.
    pub server: String,
    /// Which signatures it needs; by default what `/etc/pacman.conf` says.
    #[serde(default)]
    pub siglevel: Option<String>,
}

/// A source for apk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApkSource {
    /// Where it is: `https://dl-cdn.alpinelinux.org/alpine/edge/testing`.
    pub url: String,
    /// Keeps it for packages that are asked for with `enable` and this tag.
    #[serde(default)]
    pub tag: Option<String>,
}

fn wrong<T>(message: impl Into<String>) -> Result<T, ActionError> {
    Err(ActionError::arguments(NAME, message))
}

/// Refuses what cannot be a value in a file of lines.
pub(super) fn require_line(what: &str, text: &str) -> Result<(), ActionError> {
    match text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
        // the text may hold a password
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

/// Refuses anything but one URL, and values that are not one line.
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

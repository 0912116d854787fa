//! The description of a crate in Starlark: its `crate.toml`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use semver::{Version, VersionReq};
use serde::Deserialize;

use crate::model::{ABI_VERSION, Capabilities, Os, PluginKind, PluginSummary, Requirement};

/// The file that makes a directory a crate.
pub const DESCRIPTION: &str = "crate.toml";

/// The module whose public functions are those of the crate.
pub const MAIN_MODULE: &str = "crate.star";

/// Maximum size of a `crate.toml`, in bytes.
const MAX_SIZE: u64 = 64 << 10;

/// The content of a `crate.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The crate's name: lower case letters, digits and `-`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// A one-line description.
    pub about: String,
    /// Its license, as an SPDX expression.
    #[serde(default)]
    pub license: String,
    /// The URL of its source code.
    #[serde(default)]
    pub repository: String,
    /// The systems that it supports, as people call them: `debian 12`.
    #[serde(default)]
    pub systems: Vec<String>,
    /// The crates that its functions call, with their acceptable versions.
    #[serde(default)]
    pub requires: BTreeMap<String, VersionReq>,
    /// What its functions may do to nodes; if omitted, everything.
    #[serde(default)]
    pub capabilities: Option<DeclaredCapabilities>,
}

/// The table `[capabilities]`: an unknown key is an error, unlike in a summary.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeclaredCapabilities {
    paths: Vec<String>,
    packages: Vec<String>,
    services: Vec<String>,
    users: Vec<String>,
    commands: Vec<String>,
    network: Vec<String>,
    local_files: Vec<String>,
}

impl DeclaredCapabilities {
    /// Refuses patterns that would not be shown as they are, or that match nothing.
    fn check(&self) -> Result<(), String> {
        let all = [
            ("paths", &self.paths),
            ("packages", &self.packages),
            ("services", &self.services),
            ("users", &self.users),
            ("commands", &self.commands),
            ("network", &self.network),
            ("local_files", &self.local_files),
        ];
        for (kind, patterns) in all {
            for pattern in patterns {
                if pattern.trim().is_empty() || pattern.chars().any(char::is_control) {
                    return Err(format!("`capabilities`: {pattern:?} cannot be one of `{kind}`"));
                }
            }
        }
        let leads_on =
            |path: &&String| !path.starts_with('/') || path.split('/').any(|part| part == "..");
        match self.paths.iter().find(leads_on) {
            Some(path) => Err(format!(
                "`capabilities`: {path:?} cannot be one of `paths`: they begin with / and have no \
                 .."
            )),
            None => Ok(()),
        }
    }
}

impl Description {
    /// Reads a `crate.toml`. The error is one line without the file's name.
    pub fn read(path: &Path) -> Result<Self, String> {
        let mut text = String::new();
        let unreadable = |error: std::io::Error| format!("cannot be read: {error}");
        let data = std::fs::symlink_metadata(path).map_err(unreadable)?;
        if !data.is_file() {
            return Err("is not a regular file".to_owned());
        }
        if data.len() > MAX_SIZE {
            return Err(format!("has more than {} KiB", MAX_SIZE >> 10));
        }
        let file = std::fs::File::open(path).map_err(unreadable)?;
        file.take(MAX_SIZE).read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&text)
    }

    /// Parses the text of a `crate.toml`. The error is one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let description: Description = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| {
                let before = text.get(..span.start).unwrap_or_default();
                format!("line {}: ", before.matches('\n').count() + 1)
            });
            let message = error.message().lines().collect::<Vec<_>>().join(" ");
            format!("{}{message}", line.unwrap_or_default())
        })?;
        description.check()?;
        Ok(description)
    }

    fn check(&self) -> Result<(), String> {
        let good = |name: &str| {
            name.len() <= 50
                && name.starts_with(|first: char| first.is_ascii_lowercase())
                && !name.ends_with('-')
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        for name in std::iter::once(&self.name).chain(self.requires.keys()) {
            if !good(name) {
                return Err(format!(
                    "{name:?} cannot name a crate; use up to 50 characters of a-z, 0-9 and -, \
                     starting with a letter"
                ));
            }
        }
        if self.requires.contains_key(&self.name) {
            return Err("a crate does not require itself".to_owned());
        }
        if self.about.trim().is_empty() || self.about.contains(['\n', '\r']) {
            return Err("`about` must be one line that says what the crate is".to_owned());
        }
        self.capabilities.iter().try_for_each(DeclaredCapabilities::check)?;
        for system in &self.systems {
            Os::of_name(system, "").map_err(|error| format!("`systems`: {error}"))?;
        }
        Ok(())
    }

    /// The summary, as other plugins have it in their library.
    pub fn summary(&self) -> PluginSummary {
        let requires = self.requires.iter();
        PluginSummary {
            // it has no types that could differ: only the major version counts
            abi: Version::parse(ABI_VERSION)
                .map_or(Version::new(1, 0, 0), |abi| Version::new(abi.major, 0, 0)),
            kind: PluginKind::Crate,
            name: self.name.clone(),
            version: self.version.clone(),
            requires: requires
                .map(|(name, version)| Requirement { name: name.clone(), version: version.clone() })
                .collect(),
            capabilities: self.capabilities.clone().map(Capabilities::from),
            systems: self.systems.clone(),
        }
    }
}

impl From<DeclaredCapabilities> for Capabilities {
    fn from(declared: DeclaredCapabilities) -> Self {
        let DeclaredCapabilities {
            paths,
            packages,
            services,
            users,
            commands,
            network,
            local_files,
        } = declared;
        Capabilities { paths, packages, services, users, commands, network, local_files }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = "name = \"web\"\nversion = \"1.2.0\"\nabout = \"A site\"\n";

    #[test]
    fn a_description_has_what_a_library_has_in_its_summary() {
        let text = format!(
            "{PLAIN}systems = [\"debian 12\"]\n[requires]\nnginx = \"^0.1\"\n\
             [capabilities]\npaths = [\"/etc/motd\"]\n"
        );
        let summary = Description::parse(&text).unwrap().summary();
        assert_eq!((summary.kind, summary.name.as_str()), (PluginKind::Crate, "web"));
        assert_eq!(summary.requires[0].version, VersionReq::parse("^0.1").unwrap());
        assert_eq!(summary.capabilities.unwrap().paths, ["/etc/motd"]);
        assert_eq!(summary.systems, ["debian 12"]);
        assert_eq!(Description::parse(PLAIN).unwrap().summary().capabilities, None);
    }

    #[test]
    fn what_is_wrong_is_named_in_one_line() {
        let capable = |line: &str| format!("{PLAIN}[capabilities]\n{line}\n");
        for (text, why) in [
            ("", "missing field `name`"),
            ("name = ", "line 1: "),
            (&format!("{PLAIN}licence = \"MIT\"\n"), "line 4: unknown field `licence`"),
            (&format!("{PLAIN}[capabilities]\npath = []\n"), "line 5: unknown field `path`"),
            (&format!("{PLAIN}[requires]\nnginx = \"new\"\n"), "line 5: "),
            (&format!("{PLAIN}[requires]\nweb = \"1\"\n"), "does not require itself"),
            (&PLAIN.replace("web", "../x"), "cannot name a crate"),
            (&PLAIN.replace("1.2.0", "1"), "line 2: "),
            (&PLAIN.replace("A site", ""), "`about` must be one line"),
            (&format!("{PLAIN}systems = [\"plan9\"]\n"), "the system \"plan9\" is not known"),
            (&capable("paths = [\"/etc/a\\nb\"]"), "cannot be one of `paths`"),
            (&capable("paths = [\"**\"]"), "they begin with / and have no .."),
            (&capable("paths = [\"/a/../b\"]"), "they begin with / and have no .."),
            (&capable("commands = [\"\"]"), "\"\" cannot be one of `commands`"),
        ] {
            let error = Description::parse(text).unwrap_err();
            assert!(error.contains(why) && !error.contains('\n'), "{text}: {error}");
        }
    }
}

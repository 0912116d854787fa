//! The manifest of a plugin.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Capabilities;

/// The version of this build's binary interface: the version of the package pallet-core.
pub const ABI_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The kind of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    /// Creates and finds nodes.
    Provider,
    /// Configures nodes.
    Crate,
    /// A kind that this version of Pallet does not know: the plugin needs a newer one.
    #[serde(other)]
    Unknown,
}

/// The content of a plugin's ELF section `.pallet`. It can be read without loading the plugin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginSummary {
    /// The version of the binary interface that it was built against.
    pub abi: semver::Version,
    /// Its kind.
    pub kind: PluginKind,
    /// Its name: `nginx`.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// The crates that it requires.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// What a crate's functions may do to nodes; `None`: unspecified, so they may do everything.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The systems that a crate supports, as people call them: `debian 12`; empty: unspecified.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// A crate that another crate calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its name.
    pub name: String,
    /// The acceptable versions.
    pub version: semver::VersionReq,
}

/// The full manifest of a plugin. Only a loaded plugin returns it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// A one-line description.
    #[serde(default)]
    pub about: String,
    /// A crate's functions.
    #[serde(default)]
    pub functions: Vec<FunctionManifest>,
    /// The JSON schema of a provider's options.
    #[serde(default)]
    pub options: Value,
    /// What a crate's functions may do to nodes; `None`: unspecified, so they may do everything.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The systems that a crate supports, as people call them: `debian 12`; empty: unspecified.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// One function of a crate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionManifest {
    /// Its name.
    pub name: String,
    /// What it does, in Markdown. The first line is a summary.
    #[serde(default)]
    pub doc: String,
    /// The JSON schema of its parameters: an object with the properties in the order of
    /// declaration.
    pub parameters: Value,
}

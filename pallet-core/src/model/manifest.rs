//! What a plugin says of itself.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Capabilities;

/// The version of the binary interface of this build: the version of the package pallet-core.
pub const ABI_VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a plugin is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginKind {
    /// It makes and finds nodes.
    Provider,
    /// It configures them.
    Crate,
    /// A kind that this Pallet does not know: the plugin needs a newer one.
    #[serde(other)]
    Unknown,
}

/// What stands in a plugin's ELF section `.pallet`, to be read without loading it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PluginSummary {
    /// The version of the binary interface that it was built against.
    pub abi: semver::Version,
    /// What it is for.
    pub kind: PluginKind,
    /// Its name: `nginx`.
    pub name: String,
    /// Its version.
    pub version: semver::Version,
    /// The crates that it calls.
    #[serde(default)]
    pub requires: Vec<Requirement>,
    /// What a crate's functions may do to nodes; `None`: it does not say, and they may do
    /// everything.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The systems that a crate says it is for, as people call them: `debian 12`; none: it does not
    /// say.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// Another crate that a crate calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    /// Its name.
    pub name: String,
    /// Which versions of it will do.
    pub version: semver::VersionReq,
}

/// All that a plugin says of itself once it is loaded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One line on what it is.
    #[serde(default)]
    pub about: String,
    /// A crate's functions.
    #[serde(default)]
    pub functions: Vec<FunctionManifest>,
    /// The JSON schema of a provider's options.
    #[serde(default)]
    pub options: Value,
    /// What a crate's functions may do to nodes; `None`: it does not say, and they may do
    /// everything.
    #[serde(default)]
    pub capabilities: Option<Capabilities>,
    /// The systems that a crate says it is for, as people call them: `debian 12`; none: it does not
    /// say.
    #[serde(default)]
    pub systems: Vec<String>,
}

/// One function of a crate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunctionManifest {
    /// Its name.
    pub name: String,
    /// What it does, in Markdown; the first line stands alone.
    #[serde(default)]
    pub doc: String,
    /// The JSON schema of its parameters, an object whose properties stand in the order of
    /// declaration.
    pub parameters: Value,
}

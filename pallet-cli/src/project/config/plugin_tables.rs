//! The types of the tables about plugins.

use std::path::PathBuf;

use pallet_core::distribution::lock::Origin;
use pallet_core::distribution::repository::Source;
use pallet_core::distribution::signature::IdentityRule;
use pallet_core::model::PluginKind;
use pallet_core::schemars::JsonSchema;
use semver::VersionReq;

use crate::diagnostic::SourceSpan;

/// The required versions of a plugin, and its source.
#[derive(Debug, Clone)]
pub(crate) struct PluginRequirement {
    /// Its key in the file: `nginx`, or `crate/nginx` if there is a provider with the same name.
    pub(crate) key: String,
    /// Its kind, if the key has one.
    pub(crate) kind: Option<PluginKind>,
    /// The version requirement.
    pub(crate) version: VersionReq,
    /// Its source, if it is not the default.
    pub(crate) source: Option<Origin>,
    /// The directory of a crate in Starlark that is used as it is.
    pub(crate) path: Option<PathBuf>,
    /// The place that requires it.
    pub(crate) place: SourceSpan,
}

/// A trusted signer: a public key, as a file or as text, or an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignerConfig {
    /// A file that holds a key.
    File(PathBuf),
    /// A key's own text.
    Text(String),
    /// Identities of an issuer.
    Identity(IdentityRule),
}

/// A mirror of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MirrorConfig {
    /// Replaces the beginning of the sources.
    pub(crate) to: Source,
    /// Whether plugins that it lacks are fetched from the source and kept in the mirror.
    pub(crate) pull_through: bool,
}

/// An entry of `[plugins]` as a table.
#[derive(JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PluginTable {
    /// The required version, as Cargo writes it: `1.2` is 1.2.0 and every compatible later version,
    /// `=1.2.3` only that one. Default: any version.
    version: Option<String>,
    /// The source, such as `oci://ghcr.io/acme/pallet/crate/redis`. Default: `registry`.
    source: Option<String>,
    /// The directory of a crate in Starlark, with its `crate.toml`, instead of a source: it is used
    /// as it is, and neither installed nor locked.
    path: Option<String>,
}

/// A signer in `[trust]` as a table.
#[derive(JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct SignerTable {
    /// Who signs: a mail address, or the URI of a workflow. `*` matches any characters but `/`.
    identity: String,
    /// Who vouches for the identity: `https://accounts.google.com`.
    issuer: String,
}

/// An entry of `[mirrors]` as a table.
#[derive(JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct MirrorTable {
    /// What replaces the beginning of the source: a registry, or `layout:DIRECTORY`.
    source: String,
    /// Download what the mirror lacks from the source, and keep it in the mirror, which must be a
    /// directory. Default: false.
    pull_through: Option<bool>,
}

impl PluginRequirement {
    /// The plugin's name.
    pub(crate) fn name(&self) -> &str {
        self.key.rsplit('/').next().unwrap_or_default()
    }
}

/// Verification of signatures that have a certificate instead of a key.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(crate = "pallet_core::schemars")]
pub(crate) struct SigstoreConfig {
    /// The file of the trusted root of a private Sigstore instance. Default: the root of Sigstore's
    /// public instance.
    pub(crate) trusted_root: Option<PathBuf>,
}

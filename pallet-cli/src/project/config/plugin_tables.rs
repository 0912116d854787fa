//! The types of the tables on plugins.

use std::path::PathBuf;

use pallet_core::distribution::lock::Origin;
use pallet_core::distribution::repository::Source;
use pallet_core::distribution::signature::IdentityRule;
use pallet_core::model::PluginKind;
use pallet_core::schemars::JsonSchema;
use semver::VersionReq;

use crate::diagnostic::SourceSpan;

/// Which versions of a plugin will do, and where it comes from.
#[derive(Debug, Clone)]
pub(crate) struct PluginRequirement {
    /// How the file names it: `nginx`, or `crate/nginx` where there is a provider of that name too.
    pub(crate) key: String,
    /// Its kind, where the file says it.
    pub(crate) kind: Option<PluginKind>,
    /// Which versions will do.
    pub(crate) version: VersionReq,
    /// Where it comes from, unless it is the usual place.
    pub(crate) source: Option<Origin>,
    /// The place that requires it.
    pub(crate) place: SourceSpan,
}

/// Whose signatures count: those of a public key, by reference or itself, or those of identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignerConfig {
    /// A file that holds a key.
    File(PathBuf),
    /// A key's own text.
    Text(String),
    /// Identities of an issuer.
    Identity(IdentityRule),
}

/// Where to look in place of other sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MirrorConfig {
    /// What the beginning of the sources is replaced with.
    pub(crate) to: Source,
    /// Whether what it lacks is fetched from the source and kept in it.
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

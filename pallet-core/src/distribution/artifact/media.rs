//! Media types and annotation keys.

/// OCI's index: a list of manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// OCI's manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's index, which some registries answer with.
pub const DOCKER_INDEX: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
/// Docker's manifest.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// OCI's empty config: `{}`.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// The artifact type of a plugin's index.
pub const PLUGIN: &str = "application/vnd.pallet.plugin.v1";
/// The artifact type of a plugin's manifest for one target.
pub const TARGET: &str = "application/vnd.pallet.plugin.target.v1";
/// The media type of a plugin's config, `plugin.json`.
pub const CONFIG: &str = "application/vnd.pallet.plugin.config.v1+json";
/// The media type of a plugin's layer: its files.
pub const LAYER: &str = "application/vnd.pallet.plugin.layer.v1.tar+gzip";
/// The media type of a config, for registries that accept only images.
pub const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a layer, for registries that accept only images.
pub const IMAGE_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Sigstore's bundle, as cosign attaches it: a signature.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// `crate` or `provider`.
pub const KIND_KEY: &str = "dev.pallet.kind";
/// The plugin's name.
pub const NAME_KEY: &str = "org.opencontainers.image.title";
/// The plugin's version.
pub const VERSION_KEY: &str = "org.opencontainers.image.version";
/// The plugin's licence, as an SPDX expression.
pub const LICENSES_KEY: &str = "org.opencontainers.image.licenses";
/// The URL of its source code.
pub const SOURCE_KEY: &str = "org.opencontainers.image.source";
/// A one-line description.
pub const DESCRIPTION_KEY: &str = "org.opencontainers.image.description";
/// The major version of the binary interface that it was built for.
pub const ABI_KEY: &str = "dev.pallet.abi";
/// The crates that it requires, as JSON: `[{"name":"tls","version":"^1"}]`.
pub const REQUIRES_KEY: &str = "dev.pallet.requires";
/// The Rust target of a build.
pub const TARGET_KEY: &str = "dev.pallet.target";
/// The oldest glibc that a build runs with.
pub const GLIBC_KEY: &str = "dev.pallet.glibc";
/// The size of a build's unpacked files, in bytes.
pub const SIZE_KEY: &str = "dev.pallet.size";
/// The digest of a build's unpacked files.
pub const H1_KEY: &str = "dev.pallet.h1";
/// The name of a manifest in an OCI layout.
pub const REF_NAME_KEY: &str = "org.opencontainers.image.ref.name";

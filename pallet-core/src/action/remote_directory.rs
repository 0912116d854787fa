//! Ensures a directory with the content of an archive. No-op: this archive was already unpacked
//! there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::builders::attribute_builders;
use super::file_support::{attributes, require_absolute};
use super::remote_file::source::ContentSource;
use super::unpacking::source::{ArchiveArguments, kind_of};
use super::unpacking::{Unpack, Unpacking};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Ensures that a directory has the content of an archive.
///
/// The archive is a tar file, compressed or not, or a zip file, from the project, a URL, or the
/// node.
///
/// Does nothing if this archive was already unpacked there, which the node records in
/// `/var/lib/pallet/unpacked`, and the directory has the given owner, group and mode. Several
/// archives can be unpacked to one directory. Files that are changed or removed afterwards do not
/// trigger another unpacking, and files of an older archive are not removed. An existing directory
/// keeps its owner and mode. Downloads work as in `remote_file`.
///
/// Links that lead out of the directory get the owner 65534 (nobody), so that Pallet does not
/// follow them.
///
/// The node needs tar and the program for the compression (gzip, bzip2, xz or zstd), or unzip.
/// Everything belongs to root unless an owner or a group is given, which then applies to everything
/// in the directory. For an archive from a source that you do not trust, use `archive`.
///
/// Example: `remote_directory(request, "/opt/app", url = "https://example.com/app-1.2.tar.gz", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", strip_components = 1)`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteDirectory {
    /// Absolute path of the directory.
    pub path: String,
    /// Path of the archive in the project.
    #[serde(default)]
    pub local_file: Option<String>,
    /// Absolute path of the archive on the node.
    #[serde(default)]
    pub remote_file: Option<String>,
    /// URL that the node downloads the archive from: `http://`, `https://`, `ftp://` or `ftps://`.
    #[serde(default)]
    pub url: Option<String>,
    /// Expected SHA-256 digest of the archive at `url`, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Expected MD5 digest of the archive at `url`, in hexadecimal.
    #[serde(default)]
    pub md5: Option<String>,
    /// URL of the expected MD5, SHA-1, SHA-256 or SHA-512 digest of the archive: the digest alone,
    /// or a list as written by `sha256sum`.
    #[serde(default)]
    pub checksum_url: Option<String>,
    /// HTTP headers for the request to `url`, by name. They are not sent to `checksum_url`.
    /// Requires curl on the node.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Accept a TLS certificate of `url` that cannot be verified.
    #[serde(default)]
    pub insecure: bool,
    /// Proxy for the download: `"http://proxy:3128"`.
    #[serde(default)]
    pub proxy: Option<String>,
    /// Type of the archive: `tar` or `zip`. Default: `zip` if the name of the archive ends with
    /// `.zip`, `.jar` or `.war`, otherwise `tar`.
    #[serde(default)]
    pub unpack: Option<Unpack>,
    /// Number of leading components to strip from each name in a tar file: with 1,
    /// `app-1.2/bin/app` becomes `bin/app`.
    #[serde(default)]
    pub strip_components: u32,
    /// Files and directories to unpack, as named in the archive. Default: all. For a directory in a
    /// zip file, write `"name/*"`.
    #[serde(default)]
    pub extract_files: Vec<String>,
    /// Owner of the directory and of everything in it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group of the directory and of everything in it.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions of the directory itself, in octal. New directories get `"0755"`.
    #[serde(default)]
    pub mode: Option<String>,
    #[serde(skip)]
    source: Option<ContentSource>,
}

impl RemoteDirectory {
    fn at(path: impl Into<String>) -> Self {
        RemoteDirectory { path: path.into(), ..Self::default() }
    }

    /// A directory at `path` with the content of an archive of the project.
    pub fn local_file(path: impl Into<String>, file: impl Into<String>) -> Self {
        RemoteDirectory { local_file: Some(file.into()), ..Self::at(path) }
    }

    /// A directory at `path` with the content of an archive on the node.
    pub fn remote_file(path: impl Into<String>, file: impl Into<String>) -> Self {
        RemoteDirectory { remote_file: Some(file.into()), ..Self::at(path) }
    }

    /// A directory at `path` with the content of an archive that the node downloads.
    pub fn url(path: impl Into<String>, url: impl Into<String>) -> Self {
        RemoteDirectory { url: Some(url.into()), ..Self::at(path) }
    }

    /// The download must have this SHA-256 digest.
    pub fn sha256(mut self, digest: impl Into<String>) -> Self {
        self.sha256 = Some(digest.into());
        self
    }

    /// Sets the type of the archive, whatever its name.
    pub fn unpack(mut self, kind: Unpack) -> Self {
        self.unpack = Some(kind);
        self
    }

    /// Strip this many leading components from each name.
    pub fn strip_components(mut self, number: u32) -> Self {
        self.strip_components = number;
        self
    }

    /// Unpack only these files and directories of the archive.
    pub fn extract_files<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.extract_files = names.into_iter().map(Into::into).collect();
        self
    }

    attribute_builders!();

    fn arguments(&self) -> ArchiveArguments<'_> {
        ArchiveArguments {
            local_file: &self.local_file,
            remote_file: &self.remote_file,
            url: &self.url,
            sha256: &self.sha256,
            md5: &self.md5,
            checksum_url: &self.checksum_url,
            headers: &self.headers,
            insecure: self.insecure,
            proxy: &self.proxy,
        }
    }

    fn unpacking(&self) -> Unpacking<'_> {
        let archive = self.arguments().name(self.source.as_ref());
        Unpacking {
            action: Self::NAME,
            path: &self.path,
            source: self.source.as_ref(),
            kind: self.unpack.unwrap_or_else(|| kind_of(&archive)),
            archive,
            strip: self.strip_components,
            files: &self.extract_files,
            owner: &self.owner,
            group: &self.group,
            mode: &self.mode,
            strict: false,
            creates: None,
        }
    }
}

impl Action for RemoteDirectory {
    const NAME: &'static str = "remote_directory";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        self.source = Some(self.arguments().read(Self::NAME, workspace)?);
        let bad = |name: &&String| {
            let outside = name.starts_with('/') || name.split('/').any(|part| part == "..");
            name.is_empty() || outside || name.starts_with('-') || name.contains('\0')
        };
        if let Some(name) = self.extract_files.iter().find(bad) {
            return Err(ActionError::arguments(
                Self::NAME,
                format!("{name:?} in extract_files cannot be the name of a file in an archive"),
            ));
        }
        if self.unpacking().kind == Unpack::Zip && self.strip_components > 0 {
            return Err(ActionError::arguments(
                Self::NAME,
                "strip_components is for tar files; a \
                zip file is unpacked with its names as they are",
            ));
        }
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        self.unpacking().claims(claims);
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.below(&self.path);
        self.arguments().needs(needed);
    }

    fn observe(&self, wanted: &mut Observation) {
        self.unpacking().observe(wanted);
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        self.unpacking().plan(node)
    }
}

#[cfg(test)]
mod tests;

//! Ensures a file with given content. No-op: it exists with that content and the wanted owner,
//! group and mode.

pub(super) mod plan;
pub(super) mod source;

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::plan::FilePlan;
use self::source::{Content, ContentSource};
use super::builders::attribute_builders;
use super::download::DownloadArguments;
use super::file_support::{attributes, link_target, parent, require_absolute};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Ensures that a file has the given content.
///
/// The content is text, a file or a template of the project, a URL, or another file of the node.
///
/// Does nothing if the file exists with that content and with the given owner, group and mode.
/// Content is used literally: a `$` is a `$`. The file is replaced atomically: the old content
/// stays until the new one is on disk, verified, with its owner and mode. The old content is kept
/// in `/var/lib/pallet/versions`, below the path of the file:
/// `/var/lib/pallet/versions/etc/motd.~1~`.
///
/// Attributes that are not declared are taken from the old file: owner, group and mode, ACLs and
/// extended attributes. A file that is a mount point, such as `/etc/hosts` in a container, is
/// written in place.
///
/// In directories that users other than root can write to, Pallet follows no link that root did not
/// create, and no link that leads out of the directory: name the target itself. This applies to all
/// actions on files.
///
/// A file whose content was changed by hand since Pallet wrote it is reported and kept, unless
/// `overwrite_changes` is set.
///
/// The node downloads a URL with curl or wget. With `sha256` or `md5`, it downloads if the file
/// does not have that digest. Without, it downloads if the file is missing, if it did not come from
/// this `url` and `checksum_url`, or if it was changed by hand and is to be overwritten; new
/// content at the same URL is not noticed. Objects in a blob store can be downloaded by signed URLs
/// or with `headers`.
///
/// Example: `remote_file(request, "/etc/motd", content = "Welcome.\n")`
///
/// Example: `remote_file(request, "/opt/app.jar", url = "https://example.com/app-1.2.jar", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// Absolute path on the node.
    pub path: String,
    /// Content.
    #[serde(default)]
    pub content: Option<String>,
    /// Path of a file of the project that holds the content.
    #[serde(default)]
    pub local_file: Option<String>,
    /// Path of a Jinja2 template of the project that renders the content. It can include and import
    /// other files of the project.
    #[serde(default)]
    pub template: Option<String>,
    /// Values for the template.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// Absolute path of a file on the node to copy the content from.
    #[serde(default)]
    pub remote_file: Option<String>,
    /// URL that the node downloads the content from: `http://`, `https://`, `ftp://` or `ftps://`.
    #[serde(default)]
    pub url: Option<String>,
    /// Expected SHA-256 digest of the content at `url`, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Expected MD5 digest of the content at `url`, in hexadecimal.
    #[serde(default)]
    pub md5: Option<String>,
    /// URL of the expected MD5, SHA-1, SHA-256 or SHA-512 digest of the content: the digest alone,
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
    /// Create a symbolic link to this target instead of a file.
    #[serde(default)]
    pub link: Option<String>,
    /// Owner name. New files belong to root.
    #[serde(default)]
    pub owner: Option<String>,
    /// Group name. New files belong to the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// Permissions in octal. New files get `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// Command that must accept the new content before it is put in place. The path of a file with
    /// the content is added as the last argument: `"visudo -cf"`.
    #[serde(default)]
    pub verify: Option<String>,
    /// Number of older versions of the file to keep on the node. Default: 5. 0 keeps none.
    #[serde(default)]
    pub max_versions: Option<u32>,
    /// Overwrite content that was changed by hand.
    #[serde(default)]
    pub overwrite_changes: bool,
    #[serde(skip)]
    through: Option<&'static str>,
    #[serde(skip)]
    source: Option<ContentSource>,
}

impl RemoteFile {
    pub(super) fn at(path: impl Into<String>) -> Self {
        RemoteFile { path: path.into(), ..Self::default() }
    }

    /// A file at `path` with this content.
    pub fn content(path: impl Into<String>, content: impl Into<String>) -> Self {
        RemoteFile { content: Some(content.into()), ..Self::at(path) }
    }

    /// A file at `path` with the content of a file of the project.
    pub fn local_file(path: impl Into<String>, file: impl Into<String>) -> Self {
        RemoteFile { local_file: Some(file.into()), ..Self::at(path) }
    }

    /// A file at `path` rendered from a template of the project.
    pub fn template(
        path: impl Into<String>,
        file: impl Into<String>,
        values: Map<String, Value>,
    ) -> Self {
        RemoteFile { template: Some(file.into()), values, ..Self::at(path) }
    }

    /// A file at `path` with the content of a file of the node.
    pub fn copy(path: impl Into<String>, file: impl Into<String>) -> Self {
        RemoteFile { remote_file: Some(file.into()), ..Self::at(path) }
    }

    /// A file at `path` with content that the node downloads.
    pub fn url(path: impl Into<String>, url: impl Into<String>) -> Self {
        RemoteFile { url: Some(url.into()), ..Self::at(path) }
    }

    /// A symbolic link at `path`.
    pub fn link(path: impl Into<String>, target: impl Into<String>) -> Self {
        RemoteFile { link: Some(target.into()), ..Self::at(path) }
    }

    /// The download must have this SHA-256 digest.
    pub fn sha256(mut self, digest: impl Into<String>) -> Self {
        self.sha256 = Some(digest.into());
        self
    }

    /// The download must have this MD5 digest.
    pub fn md5(mut self, digest: impl Into<String>) -> Self {
        self.md5 = Some(digest.into());
        self
    }

    /// The download must have the digest at this URL.
    pub fn checksum_url(mut self, url: impl Into<String>) -> Self {
        self.checksum_url = Some(url.into());
        self
    }

    /// Send this header with the request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Accept a TLS certificate that cannot be verified.
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// Download through this proxy.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    attribute_builders!();

    /// This command must accept the content before it is put in place.
    pub fn verify(mut self, command: impl Into<String>) -> Self {
        self.verify = Some(command.into());
        self
    }

    /// Keep this many older versions.
    pub fn max_versions(mut self, number: u32) -> Self {
        self.max_versions = Some(number);
        self
    }

    /// Overwrite changes made by hand.
    pub fn overwrite_changes(mut self) -> Self {
        self.overwrite_changes = true;
        self
    }

    /// Pipe the download through this function of the library.
    pub(super) fn through(mut self, function: &'static str) -> Self {
        self.through = Some(function);
        self
    }

    fn read(&self, workspace: &dyn Workspace) -> Result<ContentSource, ActionError> {
        let wrong = |message: String| Err(ActionError::arguments(Self::NAME, message));
        let given = [
            &self.content,
            &self.local_file,
            &self.template,
            &self.remote_file,
            &self.url,
            &self.link,
        ];
        if given.into_iter().flatten().count() != 1 {
            return wrong(
                "give exactly one of content, local_file, template, remote_file, url and link"
                    .to_owned(),
            );
        }
        let download = DownloadArguments {
            url: &self.url,
            sha256: &self.sha256,
            md5: &self.md5,
            checksum_url: &self.checksum_url,
            headers: &self.headers,
            insecure: self.insecure,
            proxy: &self.proxy,
        };
        if let Some(mut download) = download.check(Self::NAME)? {
            download.through = self.through;
            return Ok(ContentSource::Download(download));
        }
        if let Some(content) = &self.content {
            return Ok(ContentSource::Content(Content::of(content.clone().into_bytes())));
        }
        if let Some(file) = &self.local_file {
            return Ok(ContentSource::Content(Content::of_file(workspace, Path::new(file), true)?));
        }
        if let Some(file) = &self.template {
            let template = String::from_utf8(workspace.read(Path::new(file))?).map_err(|_| {
                ActionError::arguments(Self::NAME, format!("the template {file} is not UTF-8 text"))
            })?;
            let content = workspace.render(file, &template, &Value::Object(self.values.clone()))?;
            return Ok(ContentSource::Content(Content::of(content.into_bytes())));
        }
        if let Some(file) = &self.remote_file {
            require_absolute(Self::NAME, file)?;
            return if *file == self.path {
                wrong(format!("{file} cannot be copied to itself"))
            } else {
                Ok(ContentSource::Node(file.clone()))
            };
        }
        let attributes = [&self.owner, &self.group, &self.mode, &self.verify];
        match &self.link {
            Some(_) if attributes.iter().any(|given| given.is_some()) => {
                wrong("a link has no owner, group, mode or verify of its own; omit them".to_owned())
            }
            Some(target) if !target.is_empty() && !target.contains('\0') => {
                Ok(ContentSource::Link(target.clone()))
            }
            _ => wrong(format!("{} needs a target to point to", self.path)),
        }
    }
}

impl Action for RemoteFile {
    const NAME: &'static str = "remote_file";

    fn subject(&self) -> String {
        self.path.clone()
    }

    fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
        require_absolute(Self::NAME, &self.path)?;
        attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        if self.template.is_none() && !self.values.is_empty() {
            return Err(ActionError::arguments(
                Self::NAME,
                "values are for a template; give template, or omit values",
            ));
        }
        self.source = Some(self.read(workspace)?);
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        match &self.source {
            Some(ContentSource::Link(target)) => {
                claims.path(&self.path, &format!("a link to {target}"))
            }
            Some(source) => {
                if let Some(text) = source.text() {
                    claims.text(&self.path, text);
                }
                claims.path(&self.path, "a file");
                claims.value(format!("the content of {}", self.path), "", source.identity());
            }
            None => claims.path(&self.path, "a file"),
        }
        if let Ok(wanted) = attributes(Self::NAME, &self.owner, &self.group, &self.mode) {
            claims.attributes(&self.path, &wanted);
        }
    }

    fn needs(&self, needed: &mut Capabilities) {
        needed.path(&self.path);
        [&self.local_file, &self.template]
            .into_iter()
            .flatten()
            .for_each(|file| needed.local_file(file));
        self.remote_file.iter().for_each(|path| needed.path(path));
        self.link.iter().for_each(|target| needed.path(&link_target(&self.path, target)));
        [&self.url, &self.checksum_url, &self.proxy]
            .into_iter()
            .flatten()
            .for_each(|url| needed.url(url));
        self.verify.iter().for_each(|command| needed.command(command));
    }

    fn observe(&self, wanted: &mut Observation) {
        match &self.source {
            Some(ContentSource::Link(_)) => wanted.file(&self.path),
            Some(source) => source.observe(&self.path, wanted),
            None => wanted.digest(&self.path),
        }
        if let Some(parent) = parent(&self.path) {
            wanted.file(parent);
        }
    }

    fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
        let source = self.source.as_ref();
        let source = source.ok_or_else(|| {
            ActionError::arguments(
                Self::NAME,
                format!("the content of {} was not prepared", self.path),
            )
        })?;
        let wanted = attributes(Self::NAME, &self.owner, &self.group, &self.mode)?;
        let overwrite = self.overwrite_changes || node.overwrite_changes;
        let plan = FilePlan {
            path: &self.path,
            source,
            wanted,
            verify: self.verify.as_deref(),
            max_versions: self.max_versions,
            overwrite,
        };
        plan.change(node)
    }
}

#[cfg(test)]
mod tests;

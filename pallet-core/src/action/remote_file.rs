//! Ensures a file with given content. No-op: it is there with that content and the wanted owner,
//! group and mode.

pub(super) mod plan;
pub(super) mod source;

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::plan::FilePlan;
use self::source::{Content, Source};
use super::builders::attribute_builders;
use super::download::DownloadArguments;
use super::file_support::{attributes, link_target, parent, require_absolute};
use super::{Action, ActionError, Change, Claims, Workspace};
use crate::model::Capabilities;
use crate::observe::{NodeState, Observation};

/// Ensures a file with content from one of: text, a file or a template of the project, a URL, or
/// another file of the node.
///
/// It does nothing if the file is there with that content, and with the owner, group and mode where
/// they are given. Content is taken as it stands: a `$` is a `$`. The file is replaced as a whole:
/// the old content stays until the new one is on disk, verified, with its owner and mode. The old
/// content is kept in `/var/lib/pallet/versions`, below the file's own path:
/// `/var/lib/pallet/versions/etc/motd.~1~`.
///
/// What is not declared, the new file has from the old one: owner, group and mode, ACL and extended
/// attributes. A file that is a mount point, as `/etc/hosts` in a container, is written in place.
///
/// Below a directory that somebody other than root may write, no link on the way is followed that
/// root did not make, nor one that leads out of that directory: name the place itself. That holds
/// for all actions on files.
///
/// A file whose content was changed by hand since Pallet wrote it is reported and kept as it is,
/// unless `overwrite_changes` says otherwise.
///
/// A download is made by the node, with curl or wget. With `sha256` or `md5` it is made when the
/// file does not have that digest. Without, it is made when the file is not there, when it did not
/// come from this `url` and `checksum_url`, or when it was changed by hand and that is to be
/// overwritten; new content at the same URL is not noticed. An object of a blob store is a URL too,
/// signed or with `headers`.
///
/// Example: `remote_file(request, "/etc/motd", content = "Welcome.\n")`
///
/// Example: `remote_file(request, "/opt/app.jar", url = "https://example.com/app-1.2.jar", sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteFile {
    /// The absolute path on the node.
    pub path: String,
    /// The content.
    #[serde(default)]
    pub content: Option<String>,
    /// A file of the project that holds the content.
    #[serde(default)]
    pub local_file: Option<String>,
    /// A file of the project that is a template of the content: Jinja2, which can include and
    /// import other files of the project.
    #[serde(default)]
    pub template: Option<String>,
    /// The values for the template.
    #[serde(default)]
    pub values: Map<String, Value>,
    /// The absolute path of a file of the node whose content is copied.
    #[serde(default)]
    pub remote_file: Option<String>,
    /// Where the node fetches the content: `http://`, `https://`, `ftp://` or `ftps://`.
    #[serde(default)]
    pub url: Option<String>,
    /// The SHA-256 digest that the content of `url` must have, in hexadecimal.
    #[serde(default)]
    pub sha256: Option<String>,
    /// The MD5 digest that the content of `url` must have, in hexadecimal.
    #[serde(default)]
    pub md5: Option<String>,
    /// Where the digest stands that the content of `url` must have, of MD5, SHA-1, SHA-256 or
    /// SHA-512: alone, or in a list as `sha256sum` writes it.
    #[serde(default)]
    pub checksum_url: Option<String>,
    /// Headers to ask for `url` with, by their names; they are not sent to `checksum_url`. They
    /// need curl on the node.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether `url` may have a certificate that cannot be verified.
    #[serde(default)]
    pub insecure: bool,
    /// A proxy to fetch `url` through: `"http://proxy:3128"`.
    #[serde(default)]
    pub proxy: Option<String>,
    /// A symbolic link to this target is to stand at the path, instead of a file.
    #[serde(default)]
    pub link: Option<String>,
    /// The owner's name; a new file is root's.
    #[serde(default)]
    pub owner: Option<String>,
    /// The group's name; a new file is of the group root.
    #[serde(default)]
    pub group: Option<String>,
    /// The permissions, in octal; a new file has `"0644"`.
    #[serde(default)]
    pub mode: Option<String>,
    /// A command that must accept the new content before it is put in place; the path of a file
    /// with it is added as the last word: `"visudo -cf"`.
    #[serde(default)]
    pub verify: Option<String>,
    /// How many older versions of the file are kept on the node, 5 if it is not given; 0 keeps
    /// none.
    #[serde(default)]
    pub max_versions: Option<u32>,
    /// Whether content that was changed by hand is overwritten.
    #[serde(default)]
    pub overwrite_changes: bool,
    #[serde(skip)]
    through: Option<&'static str>,
    #[serde(skip)]
    source: Option<Source>,
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

    /// A file at `path` made of a template of the project.
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

    /// A file at `path` with what the node fetches from a URL.
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

    /// The download must have the digest that stands there.
    pub fn checksum_url(mut self, url: impl Into<String>) -> Self {
        self.checksum_url = Some(url.into());
        self
    }

    /// The download is asked for with this header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Where the download comes from may have a certificate that cannot be verified.
    pub fn insecure(mut self) -> Self {
        self.insecure = true;
        self
    }

    /// The download is fetched through this proxy.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    attribute_builders!();

    /// Accepted by this command before it is put in place.
    pub fn verify(mut self, command: impl Into<String>) -> Self {
        self.verify = Some(command.into());
        self
    }

    /// With so many older versions kept.
    pub fn max_versions(mut self, number: u32) -> Self {
        self.max_versions = Some(number);
        self
    }

    /// Whatever was changed by hand.
    pub fn overwrite_changes(mut self) -> Self {
        self.overwrite_changes = true;
        self
    }

    /// What is downloaded goes through this function of the library.
    pub(super) fn through(mut self, function: &'static str) -> Self {
        self.through = Some(function);
        self
    }

    fn read(&self, workspace: &dyn Workspace) -> Result<Source, ActionError> {
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
            return Ok(Source::Download(download));
        }
        if let Some(content) = &self.content {
            return Ok(Source::Content(Content::of(content.clone().into_bytes())));
        }
        if let Some(file) = &self.local_file {
            return Ok(Source::Content(Content::of_file(workspace, Path::new(file), true)?));
        }
        if let Some(file) = &self.template {
            let template = String::from_utf8(workspace.read(Path::new(file))?).map_err(|_| {
                ActionError::arguments(Self::NAME, format!("the template {file} is not UTF-8 text"))
            })?;
            let content = workspace.render(file, &template, &Value::Object(self.values.clone()))?;
            return Ok(Source::Content(Content::of(content.into_bytes())));
        }
        if let Some(file) = &self.remote_file {
            require_absolute(Self::NAME, file)?;
            return if *file == self.path {
                wrong(format!("{file} cannot be copied to itself"))
            } else {
                Ok(Source::Node(file.clone()))
            };
        }
        let attributes = [&self.owner, &self.group, &self.mode, &self.verify];
        match &self.link {
            Some(_) if attributes.iter().any(|given| given.is_some()) => wrong(
                "a link has no owner, group, mode or verify of its own; leave them away".to_owned(),
            ),
            Some(target) if !target.is_empty() && !target.contains('\0') => {
                Ok(Source::Link(target.clone()))
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
                "values are for a template; give template, or leave values away",
            ));
        }
        self.source = Some(self.read(workspace)?);
        Ok(())
    }

    fn claims(&self, claims: &mut Claims) {
        match &self.source {
            Some(Source::Link(target)) => claims.path(&self.path, &format!("a link to {target}")),
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
            Some(Source::Link(_)) => wanted.file(&self.path),
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

//! The archive of a directory: its source, its type, and its identity.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::download::{Checksum, DownloadArguments};
use super::super::file_support::require_absolute;
use super::super::remote_file::source::{Content, ContentSource};
use super::super::{ActionError, Workspace};
use super::{Unpack, Unpacking};
use crate::model::{Capabilities, Known};
use crate::observe::{FileState, NodeState};

/// The parameters of an action that say where its archive is.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct ArchiveArguments<'a> {
    pub(in super::super) local_file: &'a Option<String>,
    pub(in super::super) remote_file: &'a Option<String>,
    pub(in super::super) url: &'a Option<String>,
    pub(in super::super) sha256: &'a Option<String>,
    pub(in super::super) md5: &'a Option<String>,
    pub(in super::super) checksum_url: &'a Option<String>,
    pub(in super::super) headers: &'a BTreeMap<String, String>,
    pub(in super::super) insecure: bool,
    pub(in super::super) proxy: &'a Option<String>,
}

impl ArchiveArguments<'_> {
    pub(in super::super) fn read(
        self,
        action: &str,
        workspace: &dyn Workspace,
    ) -> Result<ContentSource, ActionError> {
        let given = [self.local_file, self.remote_file, self.url];
        if given.into_iter().flatten().count() != 1 {
            return Err(ActionError::arguments(
                action,
                "give exactly one of local_file, remote_file and url",
            ));
        }
        let download = DownloadArguments {
            url: self.url,
            sha256: self.sha256,
            md5: self.md5,
            checksum_url: self.checksum_url,
            headers: self.headers,
            insecure: self.insecure,
            proxy: self.proxy,
        };
        match (download.check(action)?, self.local_file, self.remote_file) {
            (Some(download), _, _) => Ok(ContentSource::Download(download)),
            (None, Some(file), _) => {
                Ok(ContentSource::Content(Content::of_file(workspace, Path::new(file), true)?))
            }
            (None, None, file) => {
                let file = file.clone().unwrap_or_default();
                require_absolute(action, &file)?;
                Ok(ContentSource::Node(file))
            }
        }
    }

    pub(in super::super) fn needs(self, needed: &mut Capabilities) {
        self.local_file.iter().for_each(|file| needed.local_file(file));
        self.remote_file.iter().for_each(|path| needed.path(path));
        [self.url, self.checksum_url, self.proxy]
            .into_iter()
            .flatten()
            .for_each(|url| needed.url(url));
    }

    /// The name of the archive, for output.
    pub(in super::super) fn name(self, source: Option<&ContentSource>) -> String {
        match source {
            Some(ContentSource::Download(download)) => download.shown(),
            _ => [self.local_file, self.remote_file]
                .into_iter()
                .flatten()
                .next()
                .cloned()
                .unwrap_or_default(),
        }
    }
}

/// The type of an archive with this name.
pub(in super::super) fn kind_of(archive: &str) -> Unpack {
    let archive = archive.to_ascii_lowercase();
    let zip = [".zip", ".jar", ".war"].iter().any(|end| archive.ends_with(end));
    if zip { Unpack::Zip } else { Unpack::Tar }
}

impl<'a> Unpacking<'a> {
    pub(super) fn source(&self) -> Result<&'a ContentSource, ActionError> {
        self.source.ok_or_else(|| {
            ActionError::arguments(
                self.action,
                format!("the archive of {} was not prepared", self.path),
            )
        })
    }

    /// Identifies the content of the archive, if known.
    pub(super) fn identity(&self, node: Option<&NodeState>) -> Result<Option<String>, ActionError> {
        match self.source()? {
            ContentSource::Content(content) => Ok(Some(content.digest.clone())),
            ContentSource::Download(download) => Ok(Some(match &download.checksum {
                Checksum::Md5(digest) => format!("md5:{digest}"),
                _ => download.origin(),
            })),
            ContentSource::Node(file) => {
                match node.map_or(Known::Unknown, |node| node.file(file)) {
                    Known::Known(FileState::File { digest, .. }) => Ok(digest.clone()),
                    Known::Known(FileState::Absent) => {
                        Err(ActionError::node(format!("there is no archive {file} on the node")))
                    }
                    Known::Known(_) => Err(ActionError::node(format!(
                        "the archive {file} is not a file; name the file itself"
                    ))),
                    Known::Unknown => Ok(None),
                }
            }
            ContentSource::Link(_) => Ok(None),
        }
    }
}

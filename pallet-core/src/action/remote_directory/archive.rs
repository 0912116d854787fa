//! The archive of a directory: its source, its type, and its identity.

use std::path::Path;

use super::{RemoteDirectory, Unpack};
use crate::action::download::{Checksum, DownloadArguments};
use crate::action::file_support::require_absolute;
use crate::action::remote_file::source::{Content, ContentSource};
use crate::action::{Action, ActionError, Workspace};
use crate::model::{Known, digest};
use crate::observe::{FileState, NodeState};

impl RemoteDirectory {
    pub(super) fn read(&self, workspace: &dyn Workspace) -> Result<ContentSource, ActionError> {
        let given = [&self.local_file, &self.remote_file, &self.url];
        if given.into_iter().flatten().count() != 1 {
            return Err(ActionError::arguments(
                Self::NAME,
                "give exactly one of local_file, remote_file and url",
            ));
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
        match (download.check(Self::NAME)?, &self.local_file, &self.remote_file) {
            (Some(download), _, _) => Ok(ContentSource::Download(download)),
            (None, Some(file), _) => {
                Ok(ContentSource::Content(Content::of_file(workspace, Path::new(file), true)?))
            }
            (None, None, file) => {
                let file = file.clone().unwrap_or_default();
                require_absolute(Self::NAME, &file)?;
                Ok(ContentSource::Node(file))
            }
        }
    }

    pub(super) fn source(&self) -> Result<&ContentSource, ActionError> {
        let source = self.source.as_ref();
        source.ok_or_else(|| {
            ActionError::arguments(
                Self::NAME,
                format!("the archive of {} was not prepared", self.path),
            )
        })
    }

    /// The name of the archive, for output.
    pub(super) fn archive(&self) -> String {
        match &self.source {
            Some(ContentSource::Download(download)) => download.shown(),
            _ => [&self.local_file, &self.remote_file]
                .into_iter()
                .flatten()
                .next()
                .cloned()
                .unwrap_or_default(),
        }
    }

    pub(super) fn kind(&self) -> Unpack {
        let zip = || {
            [".zip", ".jar", ".war"]
                .iter()
                .any(|end| self.archive().to_ascii_lowercase().ends_with(end))
        };
        self.unpack.unwrap_or_else(|| if zip() { Unpack::Zip } else { Unpack::Tar })
    }

    pub(super) fn kind_word(&self) -> &'static str {
        match self.kind() {
            Unpack::Tar => "tar",
            Unpack::Zip => "zip",
        }
    }

    /// Identifies the way in which the archive is unpacked.
    pub(super) fn how(&self) -> String {
        let how = (self.kind_word(), self.strip_components, &self.extract_files);
        digest(format!("{how:?}").as_bytes())
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

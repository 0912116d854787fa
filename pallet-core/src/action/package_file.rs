//! Shared by the actions that install a package from a file.

use std::collections::BTreeMap;
use std::path::Path;

use super::download::{Download, DownloadArguments};
use super::file_support::require_absolute;
use super::package_plan::packages_change;
use super::package_spec::{PackageAction, PackageSpec};
use super::remote_file::source::Content;
use super::{ActionError, Certainty, Change, Upload, Workspace};
use crate::model::{Capabilities, Known};
use crate::observe::{NodeState, PackageState};
use crate::script::{Script, quote};

/// The parameters that identify the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileArguments<'a> {
    pub(super) name: &'a str,
    pub(super) local_file: &'a Option<String>,
    pub(super) url: &'a Option<String>,
    pub(super) sha256: &'a Option<String>,
    pub(super) remote_file: &'a Option<String>,
}

/// The source of the file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum PackageFile {
    Content(Content),
    Download(Download),
    Node(String),
}

impl FileArguments<'_> {
    pub(super) fn needs(self, needed: &mut Capabilities) {
        needed.package(self.name);
        self.local_file.iter().for_each(|file| needed.local_file(file));
        self.remote_file.iter().for_each(|path| needed.path(path));
        self.url.iter().for_each(|url| needed.url(url));
    }

    pub(super) fn check(
        self,
        action: &str,
        workspace: &dyn Workspace,
    ) -> Result<PackageFile, ActionError> {
        PackageSpec { name: self.name, version: None }.check(action, PackageAction::Install)?;
        if [self.local_file, self.url, self.remote_file].into_iter().flatten().count() != 1 {
            return Err(ActionError::arguments(
                action,
                "give exactly one of local_file, url and remote_file",
            ));
        }
        let (headers, none) = (BTreeMap::new(), None);
        let download = DownloadArguments {
            url: self.url,
            sha256: self.sha256,
            md5: &none,
            checksum_url: &none,
            headers: &headers,
            insecure: false,
            proxy: &none,
        };
        if let Some(download) = download.check(action)? {
            return match self.sha256 {
                Some(_) => Ok(PackageFile::Download(download)),
                None => Err(ActionError::arguments(
                    action,
                    "give sha256 with url: what is installed must be what was meant",
                )),
            };
        }
        if let Some(file) = self.local_file {
            return Ok(PackageFile::Content(Content::of_file(workspace, Path::new(file), false)?));
        }
        let path = self.remote_file.clone().unwrap_or_default();
        require_absolute(action, &path)?;
        Ok(PackageFile::Node(path))
    }
}

impl PackageFile {
    /// Installs it with `manager`, unless the package is installed. The file's name ends with
    /// `suffix`, which package managers check.
    pub(super) fn plan(
        &self,
        node: &mut NodeState,
        manager: &str,
        name: &str,
        suffix: &str,
    ) -> Option<Change> {
        let certainty = match node.package(name) {
            Known::Known(PackageState::Installed { .. }) => return None,
            Known::Known(_) => Certainty::Will,
            Known::Unknown => Certainty::May,
        };
        let content = match self {
            PackageFile::Content(content) => content.script(),
            PackageFile::Download(download) => {
                format!("content() {{\n{}}}\n", download.script("\"$1\""))
            }
            PackageFile::Node(path) => format!("content() {{ cat -- {}; }}\n", quote(path)),
        };
        let script = Script::new().raw(&content).call(["package_file", manager, name, suffix]);
        let summary = match self {
            PackageFile::Content(_) => "install".to_owned(),
            PackageFile::Download(download) => format!("install from {}", download.shown()),
            PackageFile::Node(path) => format!("install from {path}"),
        };
        packages_change(node);
        node.set_package(name, PackageState::Installed { version: None });
        let change = Change { certainty, ..Change::will(summary, script) };
        let upload = match self {
            PackageFile::Content(content) => {
                content.upload().map(|source| (content.digest.clone(), source))
            }
            _ => None,
        };
        Some(match upload {
            Some((digest, source)) => change.with_upload(Upload { digest, source, path: None }),
            None => change,
        })
    }
}

/// Defines an action that installs a package from a file. The arguments are its documentation, its
/// type, its name, the file extension, the package managers of its claims, and the function that
/// finds the node's package manager.
macro_rules! package_file_action {
    (
        $(#[doc = $documentation:literal])*
        $action:ident, $name:literal, $suffix:literal, [$($manager:ident),+], $require:expr
    ) => {
        $(#[doc = $documentation])*
        #[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
        #[derive(schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $action {
            /// Package name.
            pub name: String,
            /// Path of the package file in the project.
            #[serde(default)]
            pub local_file: Option<String>,
            /// URL that the node downloads the package file from. Requires `sha256`.
            #[serde(default)]
            pub url: Option<String>,
            /// Expected SHA-256 digest of the file at `url`, in hexadecimal.
            #[serde(default)]
            pub sha256: Option<String>,
            /// Absolute path of the package file on the node.
            #[serde(default)]
            pub remote_file: Option<String>,
            #[serde(skip)]
            file: Option<PackageFile>,
        }

        impl $action {
            /// From a file of the project.
            pub fn local_file(name: impl Into<String>, file: impl Into<String>) -> Self {
                Self { name: name.into(), local_file: Some(file.into()), ..Self::default() }
            }

            /// From a URL, with this SHA-256 digest.
            pub fn url(
                name: impl Into<String>,
                url: impl Into<String>,
                sha256: impl Into<String>,
            ) -> Self {
                let (url, sha256) = (Some(url.into()), Some(sha256.into()));
                Self { name: name.into(), url, sha256, ..Self::default() }
            }

            /// From a file of the node.
            pub fn remote_file(name: impl Into<String>, file: impl Into<String>) -> Self {
                Self { name: name.into(), remote_file: Some(file.into()), ..Self::default() }
            }

            fn arguments(&self) -> FileArguments<'_> {
                FileArguments {
                    name: &self.name,
                    local_file: &self.local_file,
                    url: &self.url,
                    sha256: &self.sha256,
                    remote_file: &self.remote_file,
                }
            }
        }

        impl Action for $action {
            const NAME: &'static str = $name;

            fn subject(&self) -> String {
                self.name.clone()
            }

            fn prepare(&mut self, workspace: &dyn Workspace) -> Result<(), ActionError> {
                self.file = Some(self.arguments().check(Self::NAME, workspace)?);
                Ok(())
            }

            fn claims(&self, claims: &mut Claims) {
                for manager in [$(PackageManager::$manager),+] {
                    PackageSpec::of(&self.name).claim(claims, manager, PackageAction::Install);
                }
            }

            fn needs(&self, needed: &mut Capabilities) {
                self.arguments().needs(needed);
            }

            fn observe(&self, wanted: &mut Observation) {
                wanted.package(&self.name);
            }

            fn plan(&self, node: &mut NodeState) -> Result<Option<Change>, ActionError> {
                let manager: PackageManager = $require(&node.os, Self::NAME)?;
                let file = self.file.as_ref().ok_or_else(|| {
                    let message = format!("the file of {} was not prepared", self.name);
                    ActionError::arguments(Self::NAME, message)
                })?;
                Ok(file.plan(node, manager.as_str(), &self.name, $suffix))
            }
        }
    };
}
pub(super) use package_file_action;

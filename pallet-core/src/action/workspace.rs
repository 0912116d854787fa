//! The local files that actions read while they are prepared.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ActionError;

/// Read access to the project for actions that are being prepared.
pub trait Workspace {
    /// The whole content of a file of the project.
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError>;
    /// The SHA-256 digest (hexadecimal) and the size in bytes of a file of the project, and its
    /// absolute path.
    fn digest(&self, path: &Path) -> Result<(String, u64, PathBuf), ActionError>;
    /// Everything in and below a directory of the project: in order, each directory before its
    /// contents. Links are followed.
    fn list(&self, path: &Path) -> Result<Vec<Listed>, ActionError>;
    /// Renders a template with values. `name` is for errors.
    fn render(&self, name: &str, template: &str, values: &Value) -> Result<String, ActionError>;
}

/// A file or a directory in a directory of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The path relative to the listed directory: `assets/logo.svg`.
    pub path: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// A workspace for actions that read no files.
pub(super) struct NoWorkspace;

impl Workspace for NoWorkspace {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ActionError> {
        Err(ActionError::node(format!("{} cannot be read here", path.display())))
    }
    fn digest(&self, path: &Path) -> Result<(String, u64, PathBuf), ActionError> {
        self.read(path).map(|_| (String::new(), 0, path.to_owned()))
    }
    fn list(&self, path: &Path) -> Result<Vec<Listed>, ActionError> {
        Err(ActionError::node(format!("{} cannot be listed here", path.display())))
    }
    fn render(&self, name: &str, _template: &str, _values: &Value) -> Result<String, ActionError> {
        Err(ActionError::node(format!("the template {name} cannot be rendered here")))
    }
}

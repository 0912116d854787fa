//! What loading a project depends on besides its directory.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pallet_core::model::Environment;

use super::star::Limits;

/// What loading a project depends on besides its directory.
#[derive(Clone, Default)]
pub(crate) struct LoadOptions {
    /// The user's own configuration; a file that does not exist says nothing.
    pub(crate) user_config: Option<PathBuf>,
    /// What `~` in configuration means.
    pub(crate) home: Option<PathBuf>,
    /// The service to use; `None`: the default one.
    pub(crate) service: Option<String>,
    /// The environment of the command line, which is laid over all others.
    pub(crate) environment_override: Environment,
    /// Whether errors of phase functions are rendered in colour.
    pub(crate) colour: bool,
    /// What bounds the evaluation.
    pub(crate) limits: Limits,
    /// Takes what the top level of the files prints.
    pub(crate) print: Option<PrintSink>,
    /// What an editor holds in place of what is on disk.
    pub(crate) unsaved: UnsavedFiles,
}

/// Texts by the names of their files, relative to the project's directory.
pub(crate) type UnsavedFiles = BTreeMap<String, String>;

/// Takes a line of text.
pub(crate) type PrintSink = Arc<dyn Fn(&str) + Send + Sync>;

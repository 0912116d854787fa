//! Options for loading a project.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pallet_core::model::Environment;

use super::star::Limits;

/// Options for loading a project.
#[derive(Clone, Default)]
pub(crate) struct LoadOptions {
    /// The user's configuration file; it may be missing.
    pub(crate) user_config: Option<PathBuf>,
    /// The home directory, for `~` in configuration.
    pub(crate) home: Option<PathBuf>,
    /// The service to use; `None`: the default one.
    pub(crate) service: Option<String>,
    /// The stage to use, if any.
    pub(crate) stage: Option<String>,
    /// The environment of the command line, which overrides all others.
    pub(crate) environment_override: Environment,
    /// Whether errors of phase functions are rendered in colour.
    pub(crate) colour: bool,
    /// The limits of the evaluation.
    pub(crate) limits: Limits,
    /// Receives the output of the files' top level.
    pub(crate) print: Option<PrintSink>,
    /// Unsaved texts of an editor, which replace the files on disk.
    pub(crate) unsaved: UnsavedFiles,
}

/// Texts by file name, relative to the project's directory.
pub(crate) type UnsavedFiles = BTreeMap<String, String>;

/// Receives a line of text.
pub(crate) type PrintSink = Arc<dyn Fn(&str) + Send + Sync>;

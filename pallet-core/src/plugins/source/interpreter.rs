//! What a registry needs to load crates in Starlark.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::Description;
use crate::model::Manifest;
use crate::plugin::{PluginError, RequestHost};

/// Loads crates from their source.
pub trait Interpreter: Send + Sync {
    /// Checks and evaluates the modules of the crate in a directory. The error names file and line.
    fn load(
        &self,
        directory: &Path,
        description: &Description,
        others: &dyn OtherCrates,
    ) -> Result<Arc<dyn SourceCrate>, String>;
}

/// A crate that was loaded from its source.
pub trait SourceCrate: Send + Sync {
    /// Its functions, and what its description says.
    fn manifest(&self) -> Manifest;
    /// Calls a function.
    fn call(
        &self,
        host: Arc<dyn RequestHost>,
        function: &str,
        arguments: &Value,
    ) -> Result<Value, PluginError>;
}

/// The crates that a crate can load.
pub trait OtherCrates {
    /// Their names.
    fn names(&self) -> Vec<String>;
    /// The manifest of one of them; the error is one line.
    fn manifest(&self, name: &str) -> Result<Manifest, String>;
}

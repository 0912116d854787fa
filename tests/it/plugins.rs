//! Plugins: every dylib of the workspace satisfies the contract, and an invalid library causes only
//! one clear error.

mod bad;
mod contract;
mod panics;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;

use pallet_core::plugin::{ErrorKind, PluginError, RequestHost};
use pallet_core::plugins::Registry;
use serde_json::Value;
use tempfile::TempDir;

/// A directory of plugins, and what the registry finds in it.
struct Plugins {
    directory: TempDir,
    registry: Registry,
}

impl Plugins {
    /// These libraries, under their own names.
    fn of<'a>(libraries: impl IntoIterator<Item = &'a Path>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for library in libraries {
            symlink(library, directory.path().join(library.file_name().unwrap())).unwrap();
        }
        Plugins::scan(directory)
    }

    fn scan(directory: TempDir) -> Self {
        let registry = Registry::scan(&[directory.path().to_owned()]);
        Plugins { directory, registry }
    }
}

/// A host that rejects every request, so that all functions fail.
struct Nobody;

impl RequestHost for Nobody {
    fn invoke(&self, operation: &str, _: Value) -> Result<Value, PluginError> {
        Err(PluginError::new(
            ErrorKind::Failed,
            format!("the host of this test does nothing, not even {operation}"),
        ))
    }
}

fn nobody() -> Arc<dyn RequestHost> {
    Arc::new(Nobody)
}

/// Asserts that an error is one readable line.
#[track_caller]
fn is_one_line(error: &str) {
    assert!(
        error.len() > 15 && error.len() < 600 && !error.trim_end().contains('\n'),
        "not one clear line: {error}"
    );
}

//! Why a plugin cannot be used. Each error is one line.

use std::env::consts::DLL_SUFFIX;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::file::is_source;
use super::found::FoundPlugin;
use super::name::{kind_word, library_name};
use crate::model::{ABI_VERSION, PluginKind};
use crate::plugin::{ErrorKind, PluginError};

/// Why a plugin cannot be used.
#[derive(Debug, Clone, Error)]
pub enum RegistryError {
    /// A file that is not a plugin for this machine.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        message: String,
    },
    /// A plugin for another version of the binary interface.
    #[error("{}: {name} was built for ABI {theirs}, but this pallet has ABI {ABI_VERSION}; install \
        a version of {name} for this pallet", path.display())]
    Abi {
        /// The file.
        path: PathBuf,
        /// The plugin's name.
        name: String,
        /// The version that it was built for.
        theirs: semver::Version,
    },
    /// Two plugins with the same name.
    #[error(
        "two plugins claim the name {name}: {} and {}; remove one of them", first.display(),
        second.display()
    )]
    Duplicate {
        /// The name.
        name: String,
        /// One file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// A locked plugin that is missing, or is not as it was locked.
    #[error("{} {name} {version} {message}", kind_word(*kind))]
    Pinned {
        /// Its kind.
        kind: PluginKind,
        /// Its name.
        name: String,
        /// Its version.
        version: semver::Version,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A library that cannot be loaded.
    #[error("cannot load {}: {message}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A crate in Starlark that cannot be loaded.
    #[error("crate {name}: {message}")]
    Source {
        /// Its name.
        name: String,
        /// What is wrong with it, and where.
        message: String,
    },
    /// There is no such plugin.
    #[error("there is no {} {name}{}", kind_word(*kind), hint(name, known))]
    Missing {
        /// Its kind.
        kind: PluginKind,
        /// Its name.
        name: String,
        /// The names of the plugins that exist.
        known: Vec<String>,
    },
    /// A crate that another one requires is missing or has a wrong version.
    #[error("crate {by} requires crate {name} {wanted}, {}", there.as_ref().map_or("which is not \
        installed: install it".to_owned(), |there| format!("but {there} is installed: install \
        another version of {name} or of {by}")))]
    Requirement {
        /// The crate that requires it.
        by: String,
        /// The crate that is required.
        name: String,
        /// The versions that are acceptable.
        wanted: semver::VersionReq,
        /// The version that is installed.
        there: Option<semver::Version>,
    },
    /// The plugin returned an error.
    #[error("{name}: {error}")]
    Plugin {
        /// Its name.
        name: String,
        /// Its error.
        error: PluginError,
    },
}

impl RegistryError {
    pub(super) fn of_plugin(found: &FoundPlugin, mut error: PluginError) -> Self {
        if error.kind == ErrorKind::Panicked && error.help.is_empty() {
            error.help = "this is a bug in the plugin; report it to its author".to_owned();
        }
        RegistryError::Plugin {
            name: format!("{} {}", kind_word(found.summary.kind), found.summary.name),
            error,
        }
    }

    /// Whether this error explains why the plugin with this name is unusable.
    pub(super) fn concerns(&self, kind: PluginKind, name: &str) -> bool {
        let file_name = library_name(kind, name, DLL_SUFFIX);
        match self {
            RegistryError::File { path, .. }
            | RegistryError::Load { path, .. }
            | RegistryError::Abi { path, .. } => match is_source(path) {
                true => path.parent().and_then(Path::file_name).is_some_and(|own| own == name),
                false => path.file_name().is_some_and(|file| *file == *file_name),
            },
            RegistryError::Duplicate { name: both, .. } => both == name,
            RegistryError::Pinned { kind: of, name: locked, .. } => *of == kind && locked == name,
            _ => false,
        }
    }
}

fn hint(name: &str, known: &[String]) -> String {
    let near = known.iter().filter(|other| {
        other.replace('_', "-") == name.replace('_', "-")
            || other.starts_with(name)
            || name.starts_with(other.as_str())
    });
    let near: Vec<&str> = near.map(String::as_str).collect();
    match (near.as_slice(), known.is_empty()) {
        ([_, ..], _) => format!("; did you mean {}?", near.join(" or ")),
        ([], true) => "; none is installed on the search path".to_owned(),
        ([], false) => format!("; there are {}", known.join(", ")),
    }
}

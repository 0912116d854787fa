//! The configuration for installing plugins.

use std::path::PathBuf;
use std::sync::Arc;

use crate::distribution::lock::Lock;
use crate::distribution::repository::{Access, Source};
use crate::distribution::store::Store;
use crate::distribution::trust::{Decisions, Trust};
use crate::model::{PluginKind, PluginSummary};
use crate::plugins::{Machine, build_for};

/// The configuration for installing plugins.
#[derive(Clone)]
pub struct Installer {
    /// Where plugins are installed.
    pub store: Store,
    /// How to connect to registries.
    pub access: Access,
    /// Mirrors that replace other sources.
    pub mirrors: Vec<Mirror>,
    /// The registry for plugins without a source.
    pub registry: Option<Source>,
    /// Use only the store, directories, and mirrors in directories.
    pub offline: bool,
    /// Who may sign what.
    pub trust: Trust,
    /// Decisions from the command line.
    pub decisions: Decisions,
    /// The machine that plugins must be built for.
    pub machine: Machine,
    /// The plugins that come with Pallet. They need no installation.
    pub own: Vec<PluginSummary>,
    /// The base of relative paths.
    pub base: PathBuf,
    /// Called to report progress.
    pub progress: Arc<dyn Fn(Step<'_>) + Send + Sync>,
}

/// A step of an installation.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A download.
    Download {
        /// The plugin, with its version.
        plugin: &'a str,
        /// Bytes that are downloaded.
        done: u64,
        /// Total bytes.
        total: u64,
    },
    /// Waiting for another process that does the same.
    Waiting {
        /// The plugin, with its version.
        plugin: &'a str,
    },
    /// The plugin is installed.
    Installed {
        /// The plugin, with its version.
        plugin: &'a str,
    },
}

/// A mirror that replaces a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// The prefix of the sources that it replaces: `oci://ghcr.io/acme`.
    pub prefix: String,
    /// The replacement of the prefix.
    pub to: Source,
    /// Whether missing content is downloaded from the source and kept in the mirror. Otherwise only
    /// the mirror is used.
    pub pull_through: bool,
}

impl Installer {
    /// The directories in the store of the plugins that a lock names for this machine.
    pub fn directories(&self, lock: &Lock) -> Vec<PathBuf> {
        let targets =
            lock.plugins().filter_map(|plugin| build_for(&plugin.targets, &self.machine.target));
        targets.map(|(_, target)| self.store.directory(target.content.digest())).collect()
    }

    pub(super) fn own(&self, kind: Option<PluginKind>, name: &str) -> Option<&PluginSummary> {
        self.own.iter().find(|own| own.name == name && kind.is_none_or(|kind| kind == own.kind))
    }
}

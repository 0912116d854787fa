//! What installing depends on.

use std::path::PathBuf;
use std::sync::Arc;

use crate::distribution::lock::Lock;
use crate::distribution::repository::{Access, Source};
use crate::distribution::store::Store;
use crate::distribution::trust::{Decisions, Trust};
use crate::model::{PluginKind, PluginSummary};
use crate::plugins::Machine;

/// What installing depends on.
#[derive(Clone)]
pub struct Installer {
    /// Where plugins are put.
    pub store: Store,
    /// How registries are reached.
    pub access: Access,
    /// Where to look in place of other sources.
    pub mirrors: Vec<Mirror>,
    /// Where plugins are looked for that are named without a source.
    pub registry: Option<Source>,
    /// Whether only the store, directories and mirrors in directories may be used.
    pub offline: bool,
    /// Who may sign what.
    pub trust: Trust,
    /// What was decided on the command line.
    pub decisions: Decisions,
    /// What plugins must have been built for.
    pub machine: Machine,
    /// The plugins that come with Pallet itself. They need no installing.
    pub own: Vec<PluginSummary>,
    /// What relative paths are relative to.
    pub base: PathBuf,
    /// Is told what goes on.
    pub progress: Arc<dyn Fn(Step<'_>) + Send + Sync>,
}

/// What goes on.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// A download: how many bytes of how many are there.
    Download {
        /// The plugin, with its version.
        plugin: &'a str,
        /// Bytes that are there.
        done: u64,
        /// Bytes of the whole.
        total: u64,
    },
    /// Another process does the same, and is waited for.
    Waiting {
        /// The plugin, with its version.
        plugin: &'a str,
    },
    /// It is in the store now.
    Installed {
        /// The plugin, with its version.
        plugin: &'a str,
    },
}

/// Where to look in place of other sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// How the sources begin that it stands for: `oci://ghcr.io/acme`.
    pub prefix: String,
    /// What that beginning is replaced with.
    pub to: Source,
    /// Whether what it lacks is fetched from the source and kept in it. Else it is all there is.
    pub pull_through: bool,
}

impl Installer {
    /// The directories in the store of what a lock names for this machine.
    pub fn directories(&self, lock: &Lock) -> Vec<PathBuf> {
        let targets = lock.plugins().filter_map(|plugin| plugin.targets.get(&self.machine.target));
        targets.map(|target| self.store.directory(target.content.digest())).collect()
    }

    pub(super) fn own(&self, kind: Option<PluginKind>, name: &str) -> Option<&PluginSummary> {
        self.own.iter().find(|own| own.name == name && kind.is_none_or(|kind| kind == own.kind))
    }
}

//! Installing plugins: choosing versions, checking who signed them, and putting them into the
//! store. Nothing of a plugin runs here.
//!
//! [`Installer`] is what is known beforehand; a [`Session`] asks repositories,
//! and remembers what they answered.

mod choose;
mod copy;
mod entry;
mod error;
mod fetch;
mod local;
mod locate;
mod may;
mod mirror;
mod outdated;
mod pull_through;
mod search;
mod seen;
mod sources;
mod verify;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use semver::{Version, VersionReq};

use super::artifact::{Digest, Plugin};
use super::lock::{Lock, Origin};
use super::repository::{Access, Source};
use super::store::Store;
use super::trust::{Decisions, Trust};
use crate::model::{PluginKind, PluginSummary};
use crate::plugins::Machine;

pub use choose::{Chosen, Unlock};
pub use error::InstallError;
pub use locate::Located;
pub use mirror::Mirrored;
pub use outdated::Outdated;
pub use search::Listed;
pub use sources::Mirror;
pub use verify::Finding;

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
    pub tell: Arc<dyn Fn(Step<'_>) + Send + Sync>,
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

/// A plugin that a project, or somebody at the command line, asks for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// What it is for, where a name alone is not enough.
    pub kind: Option<PluginKind>,
    /// Which versions will do.
    pub requirement: VersionReq,
    /// Where it is from: its repository, or what several begin with.
    pub origin: Option<Origin>,
    /// Who asks, as messages name it: `pallet.toml`.
    pub by: String,
}

/// One piece of work, in which every question is asked once.
pub struct Session<'a> {
    installer: &'a Installer,
    opened: BTreeMap<Origin, local::Place>,
    versions: BTreeMap<Origin, Vec<Version>>,
    plugins: BTreeMap<(Origin, Version), Plugin>,
    /// Indexes whose signatures were checked in this session.
    verified: BTreeSet<Digest>,
}

impl Installer {
    /// Begins.
    pub fn session(&self) -> Session<'_> {
        Session {
            installer: self,
            opened: BTreeMap::new(),
            versions: BTreeMap::new(),
            plugins: BTreeMap::new(),
            verified: BTreeSet::new(),
        }
    }

    /// The directories in the store of what a lock names for this machine.
    pub fn directories(&self, lock: &Lock) -> Vec<PathBuf> {
        let targets = lock.plugins().filter_map(|plugin| plugin.targets.get(&self.machine.target));
        targets.map(|target| self.store.directory(target.content.digest())).collect()
    }

    fn own(&self, kind: Option<PluginKind>, name: &str) -> Option<&PluginSummary> {
        self.own.iter().find(|own| own.name == name && kind.is_none_or(|kind| kind == own.kind))
    }
}

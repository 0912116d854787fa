//! What somebody asks for.

use semver::VersionReq;

use crate::distribution::lock::{LockedPlugin, Origin};
use crate::model::PluginKind;

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

impl Wanted {
    /// Whether a locked plugin is what is asked for.
    pub(super) fn agrees(&self, locked: &LockedPlugin) -> bool {
        let from = |origin: &Origin| {
            locked.source == *origin || locked.source == origin.of_plugin(locked.kind, &locked.name)
        };
        self.name == locked.name
            && self.kind.is_none_or(|kind| kind == locked.kind)
            && self.requirement.matches(&locked.version)
            && self.origin.as_ref().is_none_or(from)
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.requirement)?;
        self.origin.as_ref().map_or(Ok(()), |origin| write!(f, " from {origin}"))
    }
}

//! A requested plugin.

use semver::VersionReq;

use crate::distribution::lock::{LockedPlugin, Origin};
use crate::model::PluginKind;

/// A plugin that a project or the command line requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its kind, if the name alone is ambiguous.
    pub kind: Option<PluginKind>,
    /// The acceptable versions.
    pub requirement: VersionReq,
    /// Its repository, or the prefix of several.
    pub origin: Option<Origin>,
    /// The requester, for messages: `pallet.toml`.
    pub by: String,
}

impl Wanted {
    /// Whether a locked plugin satisfies the request.
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

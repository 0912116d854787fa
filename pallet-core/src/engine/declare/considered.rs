//! Nodes outside an operation, as its functions see them, without asking anybody.

use std::sync::Arc;

use crate::engine::{Engine, GroupSpec};
use crate::model::{Facts, ImageSpec, Node, Os, Target};

/// A node that an operation does not change. Functions see it, and the settings that its group
/// declares for it.
pub(in crate::engine) struct Considered {
    pub(in crate::engine) node: Node,
    pub(in crate::engine) group: Arc<GroupSpec>,
    /// The facts that it had when it was last asked.
    pub(in crate::engine) facts: Option<Facts>,
}

impl Considered {
    pub(in crate::engine) fn new(engine: &Engine, node: Node, group: Arc<GroupSpec>) -> Self {
        let facts =
            engine.facts_cache.as_ref().and_then(|cache| cache.get(&engine.project, &node.id));
        Considered { facts, node, group }
    }

    /// The system that it had when it was last asked, or that its provider reports.
    pub(in crate::engine) fn os(&self) -> Option<&Os> {
        self.facts.as_ref().map(|facts| &facts.os).or(self.node.os.as_ref())
    }
}

/// The system to assume where nothing says which it is.
pub(in crate::engine) const USUAL_OS: &str = "debian 12";

/// The system that a node-spec names, if any.
pub(in crate::engine) fn named_os(image: Option<&ImageSpec>) -> Option<Os> {
    let ImageSpec { os_family: Some(family), os_version, .. } = image? else { return None };
    // a version range is not a single version
    let version = os_version.as_deref().filter(|version| !version.contains(['<', '>', '=', ',']));
    Some(Os::named(&format!("{family} {}", version.unwrap_or_default()), std::env::consts::ARCH))
}

/// The node as functions see it; `os` is its system if its facts are unknown.
pub(in crate::engine) fn target(
    node: &Node,
    group: &GroupSpec,
    facts: Option<&Facts>,
    os: impl FnOnce() -> Os,
) -> Target {
    let own = |name: &String| facts.and_then(|facts| facts.own.get(name)).cloned();
    let specs = group.server.facts.iter();
    Target {
        id: node.id.clone(),
        name: node.name.clone(),
        group: group.name.clone(),
        address: node.address.clone(),
        roles: group.server.roles.iter().cloned().collect(),
        os: facts.map_or_else(os, |facts| facts.os.clone()),
        machine: facts.map(|facts| facts.machine.clone()).unwrap_or_default(),
        facts: specs
            .map(|(name, spec)| (name.clone(), own(name).unwrap_or_else(|| spec.unknown())))
            .collect(),
    }
}

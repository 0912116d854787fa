//! Nodes that are not what their node-spec now says, and nodes that are made anew.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::protection::OF_GROUP;
use crate::engine::operation::{Event, GroupedNode, NodeChanges};
use crate::engine::selection::{find_named, shortened};
use crate::engine::{Engine, EngineError, GroupSpec};
use crate::model::{ImageSpec, NetworkSpec, Node, NodeSpec, PROTECT_TAG, digest};

/// The tag that says what a node was made from.
const SPEC_TAG: &str = "pallet-spec";

/// The parts of a node-spec that cannot be changed after the creation of a node: name, key in the
/// tag, value.
fn parts(spec: &NodeSpec) -> [(&'static str, char, Value); 3] {
    let image = spec.image.as_ref().map(|image| ImageSpec { login_user: None, ..image.clone() });
    // who may reach a node can be changed later
    let network = spec
        .network
        .as_ref()
        .map(|network| NetworkSpec { inbound_ports: Vec::new(), ..network.clone() });
    let network = network.filter(|network| *network != NetworkSpec::default());
    [
        ("image", 'i', json!(image)),
        ("hardware", 'h', json!(spec.hardware)),
        ("network", 'n', json!(network)),
    ]
}

fn short_digest(value: &Value) -> String {
    digest(value.to_string().as_bytes()).chars().take(12).collect()
}

/// The value of the tag that says what a node was made from. It has only letters, digits and
/// hyphens, which every service accepts.
fn made_from(spec: &NodeSpec) -> String {
    parts(spec).map(|(_, key, value)| format!("{key}{}", short_digest(&value))).join("-")
}

/// The spec of a group's new nodes, with the tags by which Pallet knows them later.
pub(super) fn tagged_spec(group: &GroupSpec) -> NodeSpec {
    let mut spec = group.server.node_spec.clone();
    spec.tags.insert(SPEC_TAG.to_owned(), made_from(&spec));
    if group.protect {
        spec.tags.entry(PROTECT_TAG.to_owned()).or_insert_with(|| OF_GROUP.to_owned());
    }
    spec
}

/// What of a node is not what its node-spec now says; `None` if nothing is known to differ.
pub(super) fn outdated(node: &Node, group: &GroupSpec) -> Option<Vec<&'static str>> {
    let made_from: BTreeMap<char, &str> = node
        .tags
        .get(SPEC_TAG)?
        .split('-')
        .filter_map(|word| Some((word.chars().next()?, word.get(1..)?)))
        .collect();
    let spec = &group.server.node_spec;
    let mut differs: Vec<_> = parts(spec)
        .into_iter()
        .filter(|(_, key, value)| {
            made_from.get(key).is_some_and(|known| *known != short_digest(value))
        })
        .map(|(name, ..)| name)
        .collect();
    // ports that are forwarded to a node are fixed at its creation
    let wanted = spec.network.iter().flat_map(|network| &network.inbound_ports);
    let mut missing = wanted.filter(|port| !node.ports.contains_key(port));
    if !node.ports.is_empty() && missing.next().is_some() && !differs.contains(&"network") {
        differs.push("network");
    }
    (!differs.is_empty()).then_some(differs)
}

/// The IDs of the nodes to make anew.
pub(super) fn to_replace(
    own: &[GroupedNode],
    others: &[GroupedNode],
    changes: &NodeChanges,
) -> Result<BTreeSet<String>, EngineError> {
    for (node, group) in others {
        if changes.replace.iter().any(|name| node.name == *name || node.id == *name) {
            return Err(EngineError::Refused(format!(
                "{} cannot be replaced: it is in group {}, which this converge does not include",
                node.name, group.name
            )));
        }
    }
    let nodes: Vec<_> = own.iter().map(|(node, _)| node.clone()).collect();
    let named = find_named(&nodes, &changes.replace)?;
    let outdated = own
        .iter()
        .filter(|(node, group)| changes.replace_outdated && outdated(node, group).is_some())
        .map(|(node, _)| node)
        .filter(|node| !node.permanent);
    if let Some(node) = named.iter().find(|node| node.permanent) {
        return Err(EngineError::Refused(format!(
            "{} cannot be replaced: its provider only lists it, and never destroys machines",
            node.name
        )));
    }
    Ok(named.into_iter().chain(outdated).map(|node| node.id.clone()).collect())
}

impl Engine {
    /// Warns about those of these nodes that are not what their node-spec now says.
    pub(in crate::engine) fn tell_outdated_among(&self, nodes: &[GroupedNode]) {
        let differs = |(node, group): &GroupedNode| Some((node.clone(), outdated(node, group)?));
        self.tell_outdated(&nodes.iter().filter_map(differs).collect::<Vec<_>>());
    }

    /// Warns about nodes that are not what their node-spec now says, each with what differs.
    pub(super) fn tell_outdated(&self, outdated: &[(Node, Vec<&'static str>)]) {
        let mut found: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
        for (node, differs) in outdated {
            let group = node.group.as_deref().unwrap_or_default();
            found.entry((group, differs.join(" and "))).or_default().push(&node.name);
        }
        for ((group, differs), names) in found {
            let message = format!(
                "{}: made from another {differs} than the node-spec of group {group} now has; \
                 `converge --replace-outdated` makes such nodes anew",
                shortened(&names)
            );
            self.tell(Event::Warning { node: None, message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ServerSpec;
    use crate::model::{Connection, HardwareSpec};

    fn group(spec: &NodeSpec) -> GroupSpec {
        GroupSpec::new("web", Some(1), ServerSpec::new().node_spec(spec.clone())).unwrap()
    }

    #[test]
    fn a_node_is_outdated_in_what_cannot_be_changed_later() {
        let image = |version: &str| ImageSpec {
            os_family: Some("debian".into()),
            os_version: Some(version.into()),
            ..ImageSpec::default()
        };
        let first = NodeSpec { image: Some(image("11")), ..NodeSpec::default() };
        let mut node = Node::new("i-1", "web-1", Connection::Local);
        assert_eq!(outdated(&node, &group(&first)), None, "nothing is known of it");
        node.tags = tagged_spec(&group(&first)).tags;
        assert_eq!(outdated(&node, &group(&first)), None);
        let network = NetworkSpec { inbound_ports: vec![80], ..NetworkSpec::default() };
        let open = NodeSpec { network: Some(network), ..first.clone() };
        assert_eq!(outdated(&node, &group(&open)), None, "ports can be opened later");
        node.ports.insert(22, "127.0.0.1:20022".to_owned());
        assert_eq!(outdated(&node, &group(&open)), Some(vec!["network"]), "but not forwarded");
        node.ports.insert(80, "127.0.0.1:20080".to_owned());
        let hardware = HardwareSpec { min_cores: Some(4), ..HardwareSpec::default() };
        let now = NodeSpec { image: Some(image("12")), hardware: Some(hardware), ..first };
        assert_eq!(outdated(&node, &group(&now)), Some(vec!["image", "hardware"]));
    }
}

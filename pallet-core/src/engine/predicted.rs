//! Nodes that do not exist yet, planned by a dry run against a mostly unknown fresh image.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::GroupSpec;
use super::template::Choice;
use crate::model::{Connection, Details, Facts, KNOWN_AFTER_APPLY, Known, Machine, Node, Os};
use crate::observe::{GroupState, NodeState, Observation, PackageState, UserState};
use crate::plugin::Hardware;

/// A node that would be created.
#[derive(Debug, Clone)]
pub(super) struct PredictedNode {
    pub(super) node: Node,
    pub(super) facts: Facts,
}

impl PredictedNode {
    /// The node as it would be right after its creation; `None` if the system of its image is
    /// unknown.
    pub(super) fn of(name: &str, group: &str, choice: Option<&Choice>) -> Option<Self> {
        let choice = choice?;
        let os = choice.image.as_ref()?.os.clone()?;
        Some(Self::with(name, group, os, choice.hardware.as_ref()))
    }

    /// The node as it would be right after its creation, with this system.
    pub(super) fn with(name: &str, group: &str, os: Os, hardware: Option<&Hardware>) -> Self {
        let hardware = hardware.cloned().unwrap_or_default();
        let machine = Machine {
            hostname: name.to_owned(),
            cores: hardware.cores,
            memory: hardware.ram,
            ..Machine::default()
        };
        let facts = Facts {
            os,
            machine,
            details: Details::default(),
            own: BTreeMap::new(),
            user: "root".to_owned(),
            bootstrapped: false,
            pending_flags: Vec::new(),
        };
        // only providers that keep tags create nodes; the address is unknown, and the placeholder
        // says so wherever it is used
        let node = Node {
            group: Some(group.to_owned()),
            address: Some(format!("{name}{KNOWN_AFTER_APPLY}")),
            taggable: true,
            ..Node::new(format!("predicted/{name}"), name, Connection::Unknown)
        };
        PredictedNode { node, facts }
    }

    /// Pairs each node with its group.
    pub(super) fn with_groups(
        nodes: Vec<Self>,
        groups: &[Arc<GroupSpec>],
    ) -> Vec<(Self, Arc<GroupSpec>)> {
        let group_of =
            |name: Option<&String>| groups.iter().find(|group| Some(&group.name) == name).cloned();
        nodes
            .into_iter()
            .filter_map(|node| group_of(node.node.group.as_ref()).map(|group| (node, group)))
            .collect()
    }
}

/// The assumed state of a fresh image: none of the wanted packages, users and groups exist, except
/// root; everything else is unknown.
pub(super) fn fresh(os: Os, wanted: &Observation) -> NodeState {
    let mut state = NodeState::new(os);
    for name in &wanted.packages {
        state.set_package(name, PackageState::Absent);
    }
    for name in &wanted.users {
        state.set_user(name, None);
    }
    for name in &wanted.groups {
        state.set_group(name, None);
    }
    if let Known::Known(_) = state.user("root") {
        state.set_user(
            "root",
            Some(UserState {
                uid: Some(0),
                home: Some("/root".to_owned()),
                ..UserState::default()
            }),
        );
    }
    if let Known::Known(_) = state.group("root") {
        state.set_group("root", Some(GroupState { gid: Some(0) }));
    }
    state
}

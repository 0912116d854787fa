//! Server-specs, and group-specs built from them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::SpecError;
use super::fact::FactSpec;
use super::order::merge_order;
use super::phase::{Phase, PhaseFunction};
use super::phase_names::{DRAIN, UNDRAIN};
use super::rollout::Rollout;
use crate::model::{Node, NodeSpec, is_host_name};

/// A kind of server: phases, roles and a node-spec. It can extend other specs.
#[derive(Debug, Clone, Default)]
pub struct ServerSpec {
    /// What its nodes should be: image, hardware, location and more.
    pub node_spec: NodeSpec,
    /// Its phases by name.
    pub phases: BTreeMap<String, Phase>,
    /// The phases that run if none are named; `None`: `configure`.
    pub default_phases: Option<Vec<String>>,
    /// Its roles, by which other nodes find it: `web`, `database`.
    pub roles: BTreeSet<String>,
    /// How an operation proceeds through its nodes; `None`: all at once.
    pub rollout: Option<Rollout>,
    /// What else to ask its nodes, by name.
    pub facts: BTreeMap<String, FactSpec>,
}

/// Refuses a node-spec with reserved tags.
fn check_tags(spec: &NodeSpec) -> Result<(), SpecError> {
    spec.wrong_tag().map_or(Ok(()), |tag| Err(SpecError::Tag { tag: tag.to_owned() }))
}

impl ServerSpec {
    /// An empty spec.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function to a phase.
    pub fn phase(mut self, name: &str, function: impl PhaseFunction + 'static) -> Self {
        let phase = self.phases.remove(name).unwrap_or_default().then(&Phase::new(function));
        self.phases.insert(name.to_owned(), phase);
        self
    }

    /// Sets the node-spec.
    pub fn node_spec(mut self, spec: NodeSpec) -> Self {
        self.node_spec = spec;
        self
    }

    /// Adds a role.
    pub fn role(mut self, role: &str) -> Self {
        self.roles.insert(role.to_owned());
        self
    }

    /// Adds a fact to ask its nodes for.
    pub fn fact(mut self, name: &str, fact: FactSpec) -> Self {
        self.facts.insert(name.to_owned(), fact);
        self
    }

    /// Sets the rollout.
    pub fn rollout(mut self, rollout: Rollout) -> Self {
        self.rollout = Some(rollout);
        self
    }

    /// This spec on top of others that it inherits, in order: inherited phase functions run first,
    /// roles are united, default phases are merged unless given here, the last rollout wins, and so
    /// do the last fact of a name and the last value for each key of the node-spec.
    pub fn extending<'a>(
        mut self,
        inherited: impl IntoIterator<Item = &'a ServerSpec>,
    ) -> Result<Self, SpecError> {
        let mut base = ServerSpec::default();
        for spec in inherited {
            for (name, phase) in &spec.phases {
                let merged = base.phases.remove(name).unwrap_or_default().then(phase);
                base.phases.insert(name.clone(), merged);
            }
            base.node_spec = base.node_spec.merged(&spec.node_spec);
            base.roles.extend(spec.roles.iter().cloned());
            base.facts.extend(spec.facts.clone());
            base.rollout = spec.rollout.clone().or(base.rollout);
            base.default_phases = match (base.default_phases.take(), &spec.default_phases) {
                (Some(first), Some(second)) if self.default_phases.is_none() => {
                    Some(merge_order(&first, second)?)
                }
                (Some(first), None) => Some(first),
                (_, second) => second.clone(),
            };
        }
        for (name, phase) in std::mem::take(&mut self.phases) {
            let merged = base.phases.remove(&name).unwrap_or_default().then(&phase);
            base.phases.insert(name, merged);
        }
        base.node_spec = base.node_spec.merged(&self.node_spec);
        base.roles.append(&mut self.roles);
        base.facts.append(&mut self.facts);
        base.rollout = self.rollout.or(base.rollout);
        base.default_phases = self.default_phases.or(base.default_phases);
        check_tags(&base.node_spec)?;
        Ok(base)
    }
}

/// A group of equal nodes: a name, a count, and their spec.
#[derive(Debug, Clone)]
pub struct GroupSpec {
    /// Its name; nodes are called `<name>-1`, `<name>-2`, ...
    pub name: String,
    /// The count; `None`: the caller must give one.
    pub count: Option<u32>,
    /// The spec of its nodes.
    pub server: ServerSpec,
    /// Refuse to destroy its nodes.
    pub protect: bool,
    /// The least number of nodes that a converge leaves it.
    pub min_count: Option<u32>,
}

impl GroupSpec {
    /// A group of this name.
    pub fn new(name: &str, count: Option<u32>, server: ServerSpec) -> Result<Self, SpecError> {
        if !is_host_name(name) || name.len() > 50 {
            return Err(SpecError::Name { name: name.to_owned() });
        }
        check_tags(&server.node_spec)?;
        for (has, lacks) in [(DRAIN, UNDRAIN), (UNDRAIN, DRAIN)] {
            if server.phases.contains_key(has) && !server.phases.contains_key(lacks) {
                return Err(SpecError::HalfDrained { group: name.to_owned(), has, lacks });
            }
        }
        Ok(GroupSpec { name: name.to_owned(), count, server, protect: false, min_count: None })
    }

    /// This group with protection for its nodes: none is destroyed if it is protected, and
    /// `min_count` of them always stay.
    pub fn protected(mut self, protect: bool, min_count: Option<u32>) -> Result<Self, SpecError> {
        if let (Some(count), Some(min_count)) = (self.count, min_count)
            && count < min_count
        {
            return Err(SpecError::MinCount { group: self.name, count, min_count });
        }
        (self.protect, self.min_count) = (protect, min_count);
        Ok(self)
    }

    /// A group that the project does not declare, of which only the name is known.
    pub(in crate::engine) fn undeclared(node: &Node) -> Self {
        let name = node.group.clone().unwrap_or_default();
        let server = ServerSpec::default();
        GroupSpec { name, count: None, server, protect: false, min_count: None }
    }

    /// Whether a node belongs to this group.
    pub(in crate::engine) fn owns(&self, node: &Node) -> bool {
        node.group.as_ref() == Some(&self.name)
    }

    /// The phases that run if none are named.
    pub fn default_phases(&self) -> Vec<String> {
        self.server.default_phases.clone().unwrap_or_else(|| vec!["configure".to_owned()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::Request;

    fn nothing(_: &mut Request) -> anyhow::Result<()> {
        Ok(())
    }

    #[test]
    fn what_is_inherited_comes_first() {
        let base = ServerSpec::new().phase("configure", nothing).role("base");
        let own =
            ServerSpec::new().phase("configure", nothing).phase("restart", nothing).role("web");
        let spec = own.extending([&base, &base]).unwrap();
        assert_eq!(spec.phases["configure"].functions().len(), 3);
        assert_eq!(spec.phases["restart"].functions().len(), 1);
        assert_eq!(spec.roles.into_iter().collect::<Vec<_>>(), ["base", "web"]);
    }

    #[test]
    fn contrary_default_phases_are_an_error_unless_given() {
        let order = |phases: &[&str]| ServerSpec {
            default_phases: Some(phases.iter().map(ToString::to_string).collect()),
            ..Default::default()
        };
        let (first, second) = (order(&["install", "configure"]), order(&["configure", "install"]));
        assert!(matches!(
            ServerSpec::new().extending([&first, &second]),
            Err(SpecError::Order { .. })
        ));
        let given = order(&["configure"]).extending([&first, &second]).unwrap();
        assert_eq!(given.default_phases, Some(vec!["configure".to_owned()]));
        let third = order(&["configure", "check"]);
        assert_eq!(
            ServerSpec::new().extending([&first, &third]).unwrap().default_phases,
            Some(vec!["install".into(), "configure".into(), "check".into()])
        );
    }

    #[test]
    fn the_nearest_rollout_wins() {
        let surge = |surge| Rollout { surge, ..Rollout::default() };
        let base = ServerSpec::new().rollout(surge(1));
        let other = ServerSpec::new().rollout(surge(2));
        let of = |own: ServerSpec| own.extending([&base, &other]).unwrap().rollout.unwrap().surge;
        assert_eq!(of(ServerSpec::new()), 2);
        assert_eq!(of(ServerSpec::new().rollout(surge(3))), 3);
    }

    #[test]
    fn a_group_never_wants_fewer_nodes_than_it_must_have() {
        let group = || GroupSpec::new("web", Some(2), ServerSpec::new()).unwrap();
        let error = group().protected(true, Some(3)).unwrap_err().to_string();
        assert_eq!(error, "group web: its count 2 is below its min_count 3");
        assert!(group().protected(true, Some(2)).unwrap().protect);
    }

    #[test]
    fn a_group_has_the_name_of_a_host() {
        assert!(GroupSpec::new("web", Some(2), ServerSpec::new()).is_ok());
        assert!(GroupSpec::new("we b", Some(2), ServerSpec::new()).is_err());
        let tagged = ServerSpec::new().node_spec(NodeSpec {
            tags: [("pallet-group".to_owned(), "db".to_owned())].into(),
            ..NodeSpec::default()
        });
        assert!(matches!(
            GroupSpec::new("web", Some(2), tagged.clone()),
            Err(SpecError::Tag { .. })
        ));
        assert!(matches!(ServerSpec::new().extending([&tagged]), Err(SpecError::Tag { .. })));
    }
}

//! The declarations of a project, collected while its files are evaluated.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use pallet_core::engine::GroupSpec;
use starlark::environment::FrozenModule;
use starlark::values::OwnedFrozenValue;

use super::live::PhaseCalls;
use super::slot::{PhaseSlot, RunSettings};
use crate::diagnostic::{Diagnostic, Diagnostics, SourceSpan};

/// All declarations so far.
#[derive(Debug, Default)]
pub(crate) struct Declarations {
    run: RunSettings,
    groups: Vec<DeclaredGroup>,
    clusters: BTreeMap<String, Vec<String>>,
    /// The phase functions of the file that is being evaluated.
    pending: Vec<Arc<DeclaredPhase>>,
    phases: usize,
    /// Calls the phase functions of a session, whose module is never finished.
    live: Option<PhaseCalls>,
}

/// A group that was declared.
#[derive(Debug)]
struct DeclaredGroup {
    spec: GroupSpec,
    place: Option<SourceSpan>,
    /// Whether it belongs to a cluster.
    in_cluster: bool,
}

/// A project function that is a phase. It can be called once its file has been evaluated.
#[derive(Debug)]
pub(crate) struct DeclaredPhase {
    pub(crate) slot: Arc<PhaseSlot>,
    /// The function.
    pub(crate) function: OnceLock<OwnedFrozenValue>,
    /// Calls the function while `function` is not set.
    pub(crate) live: Option<PhaseCalls>,
}

impl Declarations {
    /// No declarations yet; phase functions use these settings.
    pub(crate) fn new(run: RunSettings) -> Self {
        Declarations { run, ..Self::default() }
    }

    /// No declarations yet; a session calls the phase functions on its own thread.
    pub(crate) fn live(run: RunSettings, live: PhaseCalls) -> Self {
        Declarations { run, live: Some(live), ..Self::default() }
    }

    /// Adds a phase. Its function will be in a hidden variable.
    pub(crate) fn phase(
        &mut self,
        phase: &str,
        declared: Option<SourceSpan>,
    ) -> Arc<DeclaredPhase> {
        // Starlark names have no spaces, so the variable can be neither seen nor overwritten
        let variable = format!("_phase {}", self.phases);
        self.phases += 1;
        let slot = PhaseSlot { variable, phase: phase.to_owned(), run: self.run, declared };
        let (function, live) = (OnceLock::new(), self.live.clone());
        let declared = Arc::new(DeclaredPhase { slot: Arc::new(slot), function, live });
        if self.live.is_none() {
            self.pending.push(declared.clone());
        }
        declared
    }

    /// Looks up the functions of a file that has just been evaluated.
    pub(crate) fn fill(&mut self, module: &FrozenModule) -> anyhow::Result<()> {
        for phase in self.pending.drain(..) {
            let (function, _) = module.get_any_visibility(&phase.slot.variable)?;
            let _ = phase.function.set(function);
        }
        Ok(())
    }

    /// Adds a group and returns its number.
    pub(crate) fn group(&mut self, spec: GroupSpec, place: Option<SourceSpan>) -> usize {
        self.groups.push(DeclaredGroup { spec, place, in_cluster: false });
        self.groups.len() - 1
    }

    /// Marks a group as part of a cluster, no longer a group of its own.
    pub(crate) fn take(&mut self, number: usize) {
        if let Some(group) = self.groups.get_mut(number) {
            group.in_cluster = true;
        }
    }

    /// Adds a cluster with the names of its groups.
    pub(crate) fn cluster(&mut self, name: &str, groups: &[GroupSpec]) {
        let groups = groups.iter().map(|group| group.name.clone()).collect();
        self.clusters.insert(name.to_owned(), groups);
    }

    /// The clusters, each with the names of its groups.
    pub(crate) fn clusters(&self) -> &BTreeMap<String, Vec<String>> {
        &self.clusters
    }

    /// The groups of the project in order, with their places. Fails on duplicate names, on groups
    /// whose nodes could have equal names, and on too many nodes.
    pub(crate) fn finish(
        self,
        max_nodes: u32,
    ) -> Result<Vec<(GroupSpec, Option<SourceSpan>)>, Diagnostics> {
        let mut found = Diagnostics::default();
        let mut groups: Vec<DeclaredGroup> = Vec::new();
        for group in self.groups.into_iter().filter(|group| !group.in_cluster) {
            match groups.iter().find(|first| first.spec.name == group.spec.name) {
                Some(first) => found.push(
                    Diagnostic::error(format!("there are two groups `{}`", group.spec.name))
                        .at(group.place)
                        .note("the first one is declared here", first.place.clone())
                        .suggest("give one of them another name".to_owned()),
                ),
                None => groups.push(group),
            }
        }
        let by_name: HashMap<&str, &DeclaredGroup> =
            groups.iter().map(|group| (group.spec.name.as_str(), group)).collect();
        for group in &groups {
            let name = &group.spec.name;
            let other =
                node_of(name).and_then(|(other, number)| Some((by_name.get(other)?, number)));
            if let Some((other, number)) = other {
                let message = format!(
                    "`{name}` is a group, and also the name of node {number} of group `{}`",
                    other.spec.name
                );
                found.push(
                    Diagnostic::error(message)
                        .at(group.place.clone())
                        .note("the group is declared here", other.place.clone())
                        .suggest(format!(
                            "give it a name that does not end with a number: `{}-a`",
                            other.spec.name
                        )),
                );
            }
        }
        let total: u64 = groups.iter().filter_map(|group| group.spec.count).map(u64::from).sum();
        if total > u64::from(max_nodes)
            && let Some(most) = groups.iter().max_by_key(|group| group.spec.count)
        {
            let (name, count) = (&most.spec.name, most.spec.count.unwrap_or_default());
            let message = match u64::from(count) == total {
                true => {
                    format!("group `{name}` has {count} nodes, but a project may have {max_nodes}")
                }
                false => format!(
                    "the groups have {total} nodes, most of them `{name}` ({count}), but a \
                     project may have {max_nodes}"
                ),
            };
            let help =
                "if this is intended, raise `max_nodes` in [project] of pallet.toml".to_owned();
            found.push(Diagnostic::error(message).at(most.place.clone()).suggest(help));
        }
        if found.has_errors() {
            Err(found)
        } else {
            Ok(groups.into_iter().map(|group| (group.spec, group.place)).collect())
        }
    }
}

/// Splits the name of a node into group and number.
fn node_of(name: &str) -> Option<(&str, &str)> {
    let (group, number) = name.rsplit_once('-')?;
    (!number.is_empty()
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit()))
    .then_some((group, number))
}

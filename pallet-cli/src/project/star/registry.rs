//! What the files of a project declare, collected while they are evaluated.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use pallet_core::engine::GroupSpec;
use starlark::environment::FrozenModule;
use starlark::values::OwnedFrozenValue;

use super::limits::Limits;
use super::live::Live;
use crate::project::diagnostic::{Diagnostic, Diagnostics, Place};

/// How phase functions run.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Run {
    /// What bounds them.
    pub(crate) limits: Limits,
    /// Whether their errors are rendered in colour.
    pub(crate) colour: bool,
}

/// All that was declared so far.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    run: Run,
    groups: Vec<Registered>,
    /// The phase functions of the file that is being evaluated.
    pending: Vec<Arc<Slot>>,
    slots: usize,
    /// Who calls the functions of these slots while their file is not evaluated to its end: a
    /// session.
    live: Option<Live>,
}

/// A group that was declared.
#[derive(Debug)]
struct Registered {
    spec: GroupSpec,
    place: Option<Place>,
    /// Whether a cluster has taken it.
    in_cluster: bool,
}

/// A function of the project that is a phase. It can be called once its file is evaluated.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The name of the hidden variable that holds the function in its file.
    pub(crate) variable: String,
    /// The name of the phase.
    pub(crate) phase: String,
    /// How it runs.
    pub(crate) run: Run,
    /// The place that made it a phase.
    pub(crate) declared: Option<Place>,
    /// The function.
    pub(crate) function: OnceLock<OwnedFrozenValue>,
    /// Who calls it as long as it has not been found.
    pub(crate) live: Option<Live>,
}

impl Registry {
    /// Nothing yet; phase functions will run so.
    pub(crate) fn new(run: Run) -> Self {
        Registry { run, ..Self::default() }
    }

    /// Nothing yet; phase functions are called by a session, on the thread that evaluates its
    /// inputs.
    pub(crate) fn live(run: Run, live: Live) -> Self {
        Registry { run, live: Some(live), ..Self::default() }
    }

    /// A place for a function of this phase.
    pub(crate) fn slot(&mut self, phase: &str, declared: Option<Place>) -> Arc<Slot> {
        // no name of Starlark has a space: the variable cannot be seen or overwritten
        let variable = format!("_phase {}", self.slots);
        self.slots += 1;
        let (function, live) = (OnceLock::new(), self.live.clone());
        let slot = Arc::new(Slot {
            variable,
            phase: phase.to_owned(),
            run: self.run,
            declared,
            function,
            live,
        });
        if self.live.is_none() {
            self.pending.push(slot.clone());
        }
        slot
    }

    /// Finds the functions of the file that has just been evaluated.
    pub(crate) fn fill(&mut self, module: &FrozenModule) -> anyhow::Result<()> {
        for slot in self.pending.drain(..) {
            let (function, _) = module.get_any_visibility(&slot.variable)?;
            let _ = slot.function.set(function);
        }
        Ok(())
    }

    /// Takes a group in, and gives the number it is known by.
    pub(crate) fn group(&mut self, spec: GroupSpec, place: Option<Place>) -> usize {
        self.groups.push(Registered { spec, place, in_cluster: false });
        self.groups.len() - 1
    }

    /// Says that a group belongs to a cluster, and is none alone.
    pub(crate) fn take(&mut self, number: usize) {
        if let Some(group) = self.groups.get_mut(number) {
            group.in_cluster = true;
        }
    }

    /// The groups of the project, in order, each with its place. Two of one name are an error, and
    /// so are two whose nodes could not be told apart, and more nodes than there may be.
    pub(crate) fn finish(
        self,
        max_nodes: u32,
    ) -> Result<Vec<(GroupSpec, Option<Place>)>, Diagnostics> {
        let mut found = Diagnostics::default();
        let mut groups: Vec<Registered> = Vec::new();
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
        let by_name: HashMap<&str, &Registered> =
            groups.iter().map(|group| (group.spec.name.as_str(), group)).collect();
        for group in &groups {
            let name = &group.spec.name;
            let other =
                node_of(name).and_then(|(other, number)| Some((by_name.get(other)?, number)));
            if let Some((other, number)) = other {
                let message = format!(
                    "`{name}` is a group, and the name of node {number} of group \
                    `{}`",
                    other.spec.name
                );
                found.push(
                    Diagnostic::error(message)
                        .at(group.place.clone())
                        .note("that group is declared here", other.place.clone())
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
                true => format!(
                    "group `{name}` has {count} nodes, and a project may have \
                    {max_nodes}"
                ),
                false => format!(
                    "the groups have {total} nodes, most of them `{name}` ({count}), \
                    and a project may have {max_nodes}"
                ),
            };
            let help =
                "if they are meant, raise `max_nodes` in [project] of pallet.toml".to_owned();
            found.push(Diagnostic::error(message).at(most.place.clone()).suggest(help));
        }
        if found.has_errors() {
            Err(found)
        } else {
            Ok(groups.into_iter().map(|group| (group.spec, group.place)).collect())
        }
    }
}

/// The group and the number that a name would be the node of.
fn node_of(name: &str) -> Option<(&str, &str)> {
    let (group, number) = name.rsplit_once('-')?;
    (!number.is_empty()
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit()))
    .then_some((group, number))
}

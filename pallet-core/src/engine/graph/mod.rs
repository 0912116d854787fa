//! A project as a graph: its groups with their phases, the functions of crates that those call, and
//! the settings that flow between them.
//!
//! It is found by declaring every phase of every group for a node that is not there, and watching
//! what the functions do.

mod dot;
mod layout;
mod svg;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::declare::{Subject, run_phase, session};
use super::lift::{BOOTSTRAP, LiftOptions, OF_THEMSELVES, SETTINGS};
use super::node_run::NodeRun;
use super::predicted::PredictedNode;
use super::request::{Doing, Showing};
use super::{Engine, EngineError, GroupSpec, Phase};
use crate::model::{NodeSpec, Os};

/// A project as a graph.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The groups, in the order in which they are declared.
    pub groups: Vec<GraphGroup>,
    /// The functions of crates that are called, sorted by their names.
    pub functions: Vec<GraphFunction>,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphGroup {
    /// Its name.
    pub name: String,
    /// How many nodes there should be, if that is declared.
    pub count: Option<u32>,
    /// What its node-spec asks for, in a few words.
    pub node_spec: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its phases: first those that a converge runs, in their order.
    pub phases: Vec<GraphPhase>,
}

/// A phase of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphPhase {
    /// Its name.
    pub name: String,
    /// It runs without being asked for.
    pub default: bool,
    /// How many actions it declares.
    pub actions: usize,
    /// What its own functions do.
    #[serde(flatten)]
    pub does: Does,
    /// Why it cannot be declared, if it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A function of a crate.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct GraphFunction {
    /// Its name: `nginx.site`.
    pub name: String,
    /// What it does.
    #[serde(flatten)]
    pub does: Does,
}

/// What functions do besides declaring actions; each thing once, in the order in which it was first
/// done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Does {
    /// The functions of crates that they call: `nginx.site`.
    pub calls: Vec<String>,
    /// The facilities that they write settings for.
    pub writes: Vec<String>,
    /// The facilities that they read settings for.
    pub reads: Vec<String>,
}

impl Does {
    fn add(&mut self, doing: &Doing<'_>) {
        let (list, name) = match doing {
            Doing::Calls(name) => (&mut self.calls, name),
            Doing::Writes(name) => (&mut self.writes, name),
            Doing::Reads(name) => (&mut self.reads, name),
        };
        if !list.iter().any(|known| known == name) {
            list.push((*name).to_owned());
        }
    }
}

/// What was seen while phases were declared.
#[derive(Default)]
struct Watched {
    /// By group and phase.
    phases: BTreeMap<(String, String), Does>,
    functions: BTreeMap<String, Does>,
}

impl Engine {
    /// Draws these groups, each as its node-spec means at the service, or all on one system.
    ///
    /// No node is asked. A phase whose functions fail says so in the graph.
    pub async fn graph(&self, groups: &[GroupSpec], os: Option<&Os>) -> Result<Graph, EngineError> {
        let mut subjects = Vec::new();
        for group in groups {
            let system = self.system_of(group, os).await;
            let group = Arc::new(group.clone());
            let node = PredictedNode::with(
                &format!("{}-1", group.name),
                &group.name,
                system.os,
                system.hardware.as_ref(),
            );
            let run = NodeRun::predicted(self, node, group.clone(), &LiftOptions::default());
            let Some(target) = run.target() else { continue };
            subjects.push((
                Subject {
                    target,
                    phases: phases_of(&group, self.default_bootstrap.as_ref()),
                    considered: false,
                },
                group,
            ));
        }
        let engine = self.clone();
        let work = tokio::task::spawn_blocking(move || watch(&engine, subjects));
        work.await.map_err(|error| EngineError::Task(error.to_string()))
    }
}

/// Declares all, phase by phase.
fn watch(engine: &Engine, subjects: Vec<(Subject, Arc<GroupSpec>)>) -> Graph {
    let (subjects, groups): (Vec<_>, Vec<_>) = subjects.into_iter().unzip();
    let watched = Arc::new(Mutex::new(Watched::default()));
    let seen = watched.clone();
    let mut session = session(engine, &subjects, Showing::Instead);
    session.watcher = Some(Arc::new(move |saw| {
        let mut watched = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Doing::Calls(name) = saw.what {
            watched.functions.entry(name.to_owned()).or_default();
        }
        let does = match saw.by {
            Some(function) => watched.functions.entry(function).or_default(),
            None => {
                watched.phases.entry((saw.target.group.clone(), saw.phase.to_owned())).or_default()
            }
        };
        does.add(&saw.what);
    }));
    let session = Arc::new(session);
    let mut drawn: Vec<Vec<GraphPhase>> = subjects.iter().map(|_| Vec::new()).collect();
    let rounds = subjects.iter().map(|subject| subject.phases.len()).max().unwrap_or_default();
    for round in 0..rounds {
        for ((subject, group), drawn) in subjects.iter().zip(&groups).zip(&mut drawn) {
            let Some((name, Some(phase))) = subject.phases.get(round) else { continue };
            let (actions, error) = match run_phase(&session, &subject.target, name, phase) {
                Ok((declared, _)) => (declared.len(), None),
                Err((error, _)) => (0, Some(engine.vault.redact(&error.message).into_owned())),
            };
            let default = is_default(group, name);
            drawn.push(GraphPhase {
                name: name.clone(),
                default,
                actions,
                error,
                ..GraphPhase::default()
            });
        }
    }
    let watched = watched.lock().unwrap_or_else(PoisonError::into_inner);
    let groups = groups.iter().zip(drawn).map(|(group, mut phases)| {
        for phase in &mut phases {
            phase.does = watched
                .phases
                .get(&(group.name.clone(), phase.name.clone()))
                .cloned()
                .unwrap_or_default();
        }
        GraphGroup {
            name: group.name.clone(),
            count: group.count,
            node_spec: gist(&group.server.node_spec),
            roles: group.server.roles.iter().cloned().collect(),
            phases,
        }
    });
    let functions = watched
        .functions
        .iter()
        .map(|(name, does)| GraphFunction { name: name.clone(), does: does.clone() });
    Graph { groups: groups.collect(), functions: functions.collect() }
}

/// All phases of a group: those that a converge runs in their order, then the others by name. All
/// groups have the first two at the same place.
pub(super) fn phases_of(
    group: &GroupSpec,
    default_bootstrap: Option<&Phase>,
) -> Vec<(String, Option<Phase>)> {
    let own = |name: &str| group.server.phases.get(name).cloned();
    let bootstrap = own(BOOTSTRAP).or_else(|| default_bootstrap.cloned());
    let mut phases = vec![(SETTINGS.to_owned(), own(SETTINGS)), (BOOTSTRAP.to_owned(), bootstrap)];
    let others = group.server.phases.keys().cloned();
    for name in group.default_phases().into_iter().chain(others) {
        if !phases.iter().any(|(known, _)| *known == name) {
            phases.push((name.clone(), own(&name)));
        }
    }
    phases
}

fn is_default(group: &GroupSpec, phase: &str) -> bool {
    OF_THEMSELVES.contains(&phase) || group.default_phases().iter().any(|name| name == phase)
}

/// What a node-spec asks for, in a few words.
fn gist(spec: &NodeSpec) -> String {
    let mut words = Vec::new();
    if let Some(image) = &spec.image {
        let os = [&image.os_family, &image.os_version]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ");
        words.extend((!os.is_empty()).then_some(os));
        words.extend(
            [&image.arch, &image.image_id, &image.image_name].into_iter().flatten().cloned(),
        );
    }
    if let Some(hardware) = &spec.hardware {
        words.extend(
            hardware
                .min_cores
                .map(|cores| format!("{cores} {}", if cores == 1 { "core" } else { "cores" })),
        );
        words.extend(hardware.min_ram.map(|ram| format!("{ram} MiB")));
        words.extend(hardware.min_disk.map(|disk| format!("{disk} GiB disk")));
        words.extend(hardware.hardware_id.clone());
        words.extend(hardware.fastest.filter(|fastest| *fastest).map(|_| "the fastest".to_owned()));
    }
    words.extend(
        spec.location
            .as_ref()
            .and_then(|location| location.location_id.clone())
            .map(|place| format!("in {place}")),
    );
    if let Some(network) = spec.network.as_ref().filter(|network| !network.inbound_ports.is_empty())
    {
        let ports =
            network.inbound_ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        words.push(format!("open: {ports}"));
    }
    words.join(", ")
}

impl GraphGroup {
    /// What stands above its phases, a line each.
    fn heading(&self) -> Vec<String> {
        let count = self.count.map(|count| format!(" x {count}")).unwrap_or_default();
        let mut lines = vec![format!("{}{count}", self.name)];
        lines.extend((!self.node_spec.is_empty()).then(|| self.node_spec.clone()));
        lines.extend((!self.roles.is_empty()).then(|| format!("roles: {}", self.roles.join(", "))));
        lines
    }
}

impl GraphPhase {
    /// What it is, in a line.
    fn line(&self) -> String {
        let actions = match self.actions {
            0 => String::new(),
            1 => ": 1 action".to_owned(),
            count => format!(": {count} actions"),
        };
        let asked = if self.default { "" } else { " (when asked for)" };
        let failed = if self.error.is_some() { " fails here" } else { "" };
        format!("{}{asked}{actions}{failed}", self.name)
    }
}

impl Graph {
    /// The facilities whose settings are written or read, sorted.
    fn facilities(&self) -> Vec<&str> {
        let phases = self.groups.iter().flat_map(|group| &group.phases).map(|phase| &phase.does);
        let all = phases
            .chain(self.functions.iter().map(|function| &function.does))
            .flat_map(|does| does.writes.iter().chain(&does.reads));
        let mut facilities: Vec<_> = all.map(String::as_str).collect();
        facilities.sort_unstable();
        facilities.dedup();
        facilities
    }
}

#[cfg(test)]
mod tests;

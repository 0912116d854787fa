//! A project as a graph: its groups with their phases, the crate functions that these call, and the
//! settings that flow between them.
//!
//! To find them, Pallet declares every phase of every group for a node that does not exist, and
//! watches what the functions do.

mod data;
mod dot;
mod layout;
mod svg;

pub use data::{Graph, GraphFunction, GraphGroup, GraphPhase};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use self::data::Does;
use super::declare::{ActivityKind, Placeholders, Subject, request_context, run_phase, target};
use super::predicted::PredictedNode;
use super::spec::{AUTOMATIC, all_phases};
use super::{Engine, EngineError, GroupSpec};
use crate::model::{Details, NodeSpec, Os};

impl Does {
    fn add(&mut self, activity: &ActivityKind<'_>) {
        let (list, name) = match activity {
            ActivityKind::Calls(name) => (&mut self.calls, name),
            ActivityKind::WritesSettings(name) => (&mut self.writes, name),
            ActivityKind::ReadsSettings(name) => (&mut self.reads, name),
        };
        if !list.iter().any(|known| known == name) {
            list.push((*name).to_owned());
        }
    }
}

/// What functions did while phases were declared.
#[derive(Default)]
struct Watched {
    /// By group and phase.
    phases: BTreeMap<(String, String), Does>,
    functions: BTreeMap<String, Does>,
}

impl Engine {
    /// The graph of these groups, each on the system that its node-spec selects at the service, or
    /// all on `os`.
    ///
    /// No node is asked. If the functions of a phase fail, the graph contains the error.
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
            let target = target(&node.node, &group, Some(&node.facts), || node.facts.os.clone());
            let details = Details::default();
            let phases = all_phases(&group, self.default_bootstrap.as_ref());
            subjects.push((
                Subject { target, details, phases, considered: false, reachable: true },
                group,
            ));
        }
        let engine = self.clone();
        let work = tokio::task::spawn_blocking(move || watch(&engine, subjects));
        work.await.map_err(|error| EngineError::Task(error.to_string()))
    }
}

/// Declares everything, phase by phase.
fn watch(engine: &Engine, subjects: Vec<(Subject, Arc<GroupSpec>)>) -> Graph {
    let (subjects, groups): (Vec<_>, Vec<_>) = subjects.into_iter().unzip();
    let watched = Arc::new(Mutex::new(Watched::default()));
    let seen = watched.clone();
    let mut context = request_context(engine, &subjects, Placeholders::UseInstead);
    context.watcher = Some(Arc::new(move |saw| {
        let mut watched = seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let ActivityKind::Calls(name) = saw.kind {
            watched.functions.entry(name.to_owned()).or_default();
        }
        let does = match saw.by {
            Some(function) => watched.functions.entry(function).or_default(),
            None => {
                watched.phases.entry((saw.target.group.clone(), saw.phase.to_owned())).or_default()
            }
        };
        does.add(&saw.kind);
    }));
    let context = Arc::new(context);
    let mut drawn: Vec<Vec<GraphPhase>> = subjects.iter().map(|_| Vec::new()).collect();
    let rounds = subjects.iter().map(|subject| subject.phases.len()).max().unwrap_or_default();
    for round in 0..rounds {
        for ((subject, group), drawn) in subjects.iter().zip(&groups).zip(&mut drawn) {
            let Some((name, Some(phase))) = subject.phases.get(round) else { continue };
            let (actions, error) = match run_phase(&context, &subject.target, name, phase) {
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

fn is_default(group: &GroupSpec, phase: &str) -> bool {
    AUTOMATIC.contains(&phase) || group.default_phases().iter().any(|name| name == phase)
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

#[cfg(test)]
mod tests;

//! What the engine's own tests share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Engine, EngineConfig, Event, GroupSpec, Record};
use crate::model::{Connection, Node};
use crate::plugin::{Created, ErrorKind, PluginError, Provider, RunNodes, Service, ServiceContext};

/// A service without nodes that makes none.
pub(super) fn nowhere() -> Arc<dyn Service> {
    Arc::new(Nowhere)
}

struct Nowhere;

impl Provider for Nowhere {
    const NAME: &'static str = "nowhere";
    const ABOUT: &'static str = "No nodes";
    type Options = ();

    fn connect(_: (), _: ServiceContext) -> anyhow::Result<Self> {
        Ok(Nowhere)
    }

    fn nodes(&self) -> anyhow::Result<Vec<Node>> {
        Ok(Vec::new())
    }

    fn run_nodes(&self, _: &RunNodes) -> anyhow::Result<Vec<Created>> {
        Err(PluginError::new(ErrorKind::Unsupported, "there is nowhere to make nodes").into())
    }

    fn destroy_nodes(&self, _: &[String]) -> anyhow::Result<()> {
        Ok(())
    }

    fn tag_node(&self, _: &str, _: &BTreeMap<String, String>) -> anyhow::Result<()> {
        Ok(())
    }
}

/// A service whose nodes a test lists.
#[derive(Default)]
pub(super) struct Lab {
    pub(super) nodes: Mutex<Vec<Node>>,
    /// Nodes that it fails to destroy, by id.
    pub(super) stuck: Vec<&'static str>,
    /// It says which those are.
    pub(super) says_which: bool,
    /// What it was asked to do.
    pub(super) asked: Mutex<Vec<String>>,
}

impl Lab {
    /// Nodes `web-1`, each of the group that its name begins with. Those of `here` are this
    /// machine, all others cannot be reached.
    pub(super) fn of(names: &[&str]) -> Self {
        let node = |name: &&str| {
            let group = name.rsplit_once('-').map(|(group, _)| group.to_owned());
            let connection = if group.as_deref() == Some("here") {
                Connection::Local
            } else {
                Connection::Unknown
            };
            Node {
                group,
                address: Some(format!("at-{name}")),
                ..Node::new(format!("i-{name}"), *name, connection)
            }
        };
        Lab { nodes: Mutex::new(names.iter().map(node).collect()), ..Lab::default() }
    }

    fn listed(&self) -> MutexGuard<'_, Vec<Node>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An engine on such a service that knows these groups, and what it told of.
pub(super) fn engine(
    lab: Lab,
    declared: &[GroupSpec],
) -> (Engine, Arc<Lab>, Arc<Mutex<Vec<Event>>>) {
    let lab = Arc::new(lab);
    let told: Arc<Mutex<Vec<Event>>> = Arc::default();
    let events = told.clone();
    let sink = move |record: &Record| events.lock().unwrap().push(record.event.clone());
    let engine = Engine::new(EngineConfig {
        declared: Some(declared.to_vec()),
        sinks: vec![Arc::new(sink)],
        ..EngineConfig::new("test", Arc::new(Shared(lab.clone())))
    });
    (engine, lab, told)
}

/// The warnings among what was told, each with its node.
pub(super) fn warnings(told: &Mutex<Vec<Event>>) -> Vec<String> {
    let warning = |event: &Event| match event {
        Event::Warning { node, message } => Some(format!(
            "{}{message}",
            node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default()
        )),
        _ => None,
    };
    told.lock().unwrap().iter().filter_map(warning).collect()
}

struct Shared(Arc<Lab>);

impl Provider for Shared {
    const NAME: &'static str = "lab";
    const ABOUT: &'static str = "Nodes of a test";
    type Options = ();

    fn connect(_: (), _: ServiceContext) -> anyhow::Result<Self> {
        Ok(Shared(Arc::default()))
    }

    fn nodes(&self) -> anyhow::Result<Vec<Node>> {
        Ok(self.0.listed().clone())
    }

    fn run_nodes(&self, _: &RunNodes) -> anyhow::Result<Vec<Created>> {
        Err(PluginError::new(ErrorKind::Unsupported, "nodes are listed").into())
    }

    fn destroy_nodes(&self, ids: &[String]) -> anyhow::Result<()> {
        self.0.asked.lock().unwrap().push(format!("destroy {}", ids.join(" ")));
        let stuck = |id: &str| self.0.stuck.contains(&id);
        self.0.listed().retain(|node| !ids.contains(&node.id) || stuck(&node.id));
        let failed: Vec<_> = ids.iter().filter(|id| stuck(id)).collect();
        if failed.is_empty() {
            return Ok(());
        }
        let error = |id: &String| {
            (id.clone(), PluginError::new(ErrorKind::Transient, format!("{id} is busy")))
        };
        let nodes = if self.0.says_which {
            failed.into_iter().map(error).collect()
        } else {
            BTreeMap::new()
        };
        Err(PluginError { nodes, ..PluginError::new(ErrorKind::Transient, "something is busy") }
            .into())
    }

    fn clean_up(&self) -> anyhow::Result<()> {
        self.0.asked.lock().unwrap().push("clean up".to_owned());
        Ok(())
    }
}

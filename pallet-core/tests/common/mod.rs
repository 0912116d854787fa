//! The provider of the tests: its nodes are this machine, as often as wanted. Tests within the
//! package use it as well as those beside it.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use pallet_core::prelude::*;

/// Nodes that are this machine, entered through `env`, and what was done with them.
#[derive(Clone, Default)]
pub(crate) struct Cloud(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// The nodes, by id.
    pub(crate) nodes: BTreeMap<String, Node>,
    /// What it was asked to create.
    pub(crate) asked: Vec<RunNodes>,
    /// What else it was asked to do, in words.
    pub(crate) calls: Vec<String>,
    /// Nodes that it fails to destroy, by id.
    pub(crate) stuck: Vec<&'static str>,
    /// So often; 0: always.
    pub(crate) stuck_times: usize,
    /// An error says which those are.
    pub(crate) says_which: bool,
    /// The lease that somebody holds.
    pub(crate) lease: Option<Lease>,
    /// New nodes never answer.
    pub(crate) silent: bool,
    /// It offers images and hardware.
    pub(crate) offers: bool,
}

impl Cloud {
    /// Nodes such as `web-1`, each in the group that its name begins with. Those of the group
    /// `here` are this machine; no other can be reached.
    pub(crate) fn of(names: &[&str]) -> Self {
        let listed = |name: &&str| {
            let group = name.rsplit_once('-').map(|(group, _)| group).unwrap_or_default();
            let connection = match group {
                "here" => Connection::Local,
                _ => Connection::Unknown,
            };
            let node = Node {
                address: Some(format!("at-{name}")),
                id: format!("i-{name}"),
                taggable: false,
                ..node(name, group, connection)
            };
            (node.id.clone(), node)
        };
        let cloud = Cloud::default();
        cloud.state().nodes = names.iter().map(listed).collect();
        cloud
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Provider for Cloud {
    const NAME: &'static str = "cloud";
    const ABOUT: &'static str = "This machine, as often as you like";
    type Options = ();

    fn connect(_: (), _: ServiceContext) -> Result<Self> {
        Ok(Cloud::default())
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        Ok(self.state().nodes.values().cloned().collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        let mut state = self.state();
        state.asked.push(wanted.clone());
        let silent = state.silent;
        let made = wanted.names.iter().map(|name| {
            if name.ends_with("-13") {
                return Created::Failed(PluginError::failed("no luck"));
            }
            let connection = match silent {
                // nothing listens there
                true => Connection::Ssh(SshConnection {
                    host: "127.0.0.1".into(),
                    port: Some(9),
                    ..SshConnection::default()
                }),
                false => Connection::Exec { command: vec!["env".into()] },
            };
            let mut node = node(name, &wanted.group, connection);
            node.created = state.nodes.len() as u64;
            state.nodes.insert(name.clone(), node.clone());
            Created::Node(Box::new(node))
        });
        Ok(made.collect())
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        let mut state = self.state();
        state.calls.push(format!("destroy {}", ids.join(" ")));
        let times = state.calls.iter().filter(|call| call.starts_with("destroy ")).count();
        if state.stuck_times > 0 && times > state.stuck_times {
            state.stuck.clear();
        }
        let (stuck, gone): (Vec<_>, Vec<_>) =
            ids.iter().cloned().partition(|id| state.stuck.contains(&id.as_str()));
        state.nodes.retain(|id, _| !gone.contains(id));
        if stuck.is_empty() {
            return Ok(());
        }
        let busy = |what: &str| PluginError::new(ErrorKind::Transient, format!("{what} is busy"));
        let nodes = match state.says_which {
            true => stuck.into_iter().map(|id| (id.clone(), busy(&id))).collect(),
            false => BTreeMap::new(),
        };
        Err(PluginError { nodes, ..busy("something") }.into())
    }

    fn clean_up(&self) -> Result<()> {
        self.state().calls.push("clean up".to_owned());
        Ok(())
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        if let Some(node) = self.state().nodes.get_mut(id) {
            node.tags.extend(tags.clone());
        }
        Ok(())
    }

    fn images(&self, _: &ImageSpec) -> Result<Vec<Image>> {
        if !self.state().offers {
            return Ok(Vec::new());
        }
        let image = |id: &str, system: &str, version: &str| Image {
            id: id.into(),
            name: id.into(),
            os: Some(os(system, version)),
            login_user: None,
            min_disk: None,
        };
        Ok(vec![image("deb-12", "debian", "12"), image("deb-11", "debian", "11")])
    }

    fn hardware(&self) -> Result<Vec<Hardware>> {
        if !self.state().offers {
            return Ok(Vec::new());
        }
        let hardware =
            |id: &str, cores| Hardware { id: id.into(), cores, ram: 1024, ..Hardware::default() };
        Ok(vec![hardware("big", 8), hardware("small", 1)])
    }

    fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        let mut state = self.state();
        match &state.lease {
            Some(held) if held.token != wanted.token => Ok(Some(held.clone())),
            _ => {
                state.lease = Some(wanted.clone());
                Ok(None)
            }
        }
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        let mut state = self.state();
        if state.lease.as_ref().is_some_and(|held| held.token == token) {
            state.lease = None;
        }
        Ok(())
    }
}

/// A system of the Debian family.
pub(crate) fn os(id: &str, version: &str) -> Os {
    Os {
        id: id.into(),
        version: version.into(),
        family: OsFamily::Debian,
        arch: String::new(),
        package_manager: pallet_core::model::PackageManager::Apt,
        service_manager: ServiceManager::Systemd,
    }
}

fn node(name: &str, group: &str, connection: Connection) -> Node {
    Node { group: Some(group.to_owned()), taggable: true, ..Node::new(name, name, connection) }
}

//! A service with its own resources, and a check for leftovers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pallet_core::prelude::*;

use crate::linux::machine;
use crate::linux::process::Process;
use crate::linux::sandbox::Sandbox;
use crate::linux::store::{Record, Store};
use crate::options::Options;

pub(super) struct Bed {
    pub(super) sandbox: Sandbox,
    pub(super) options: Options,
    pub(super) context: ServiceContext,
    directory: PathBuf,
    owned: Option<tempfile::TempDir>,
}

impl Bed {
    /// The bed for test `number`; `None` without root.
    pub(super) fn new(number: u8) -> Option<Bed> {
        let directory = tempfile::tempdir().unwrap();
        let mut bed = Bed::in_directory(number, directory.path())?;
        bed.owned = Some(directory);
        Some(bed)
    }

    /// A bed in a directory that the caller removes.
    pub(super) fn in_directory(number: u8, directory: &Path) -> Option<Bed> {
        if !machine::is_root() {
            return None;
        }
        fs::create_dir_all(directory.join("project")).unwrap();
        let context = ServiceContext {
            project: "shop".into(),
            service: "sandbox".into(),
            directory: directory.join("project"),
            data_directory: directory.join("data"),
            home: "/root".into(),
            ..Default::default()
        };
        let options = Options {
            image: None,
            images: BTreeMap::new(),
            network: format!("10.214.{number}.0/24"),
            bridge: format!("ptest{number}"),
            init: Default::default(),
        };
        let sandbox = Sandbox::connect(options.clone(), context.clone()).unwrap();
        Some(Bed { sandbox, options, context, directory: directory.to_owned(), owned: None })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The same service in another project.
    pub(super) fn of_project(&self, project: &str) -> Sandbox {
        let context = ServiceContext { project: project.into(), ..self.context.clone() };
        Sandbox::connect(self.options.clone(), context).unwrap()
    }

    pub(super) fn run(&self, names: &[&str]) -> Vec<Node> {
        run(&self.sandbox, names).into_iter().map(|created| made(created).unwrap()).collect()
    }

    pub(super) fn node_directory(&self, name: &str) -> PathBuf {
        self.context.data_directory.join("shop/sandbox").join(name)
    }

    pub(super) fn record(&self, name: &str) -> Record {
        Store::read(&self.node_directory(name)).unwrap()
    }

    pub(super) fn process(&self, name: &str) -> Process {
        self.record(name).process.unwrap()
    }

    /// The devices of this bed's network.
    pub(super) fn links(&self) -> Vec<String> {
        let mut links = Vec::new();
        for link in fs::read_dir("/sys/class/net").unwrap().flatten() {
            let master = fs::read_link(link.path().join("master")).unwrap_or_default();
            if link.file_name() == self.options.bridge.as_str()
                || master.ends_with(&self.options.bridge)
            {
                links.push(link.file_name().to_string_lossy().into_owned());
            }
        }
        links
    }

    /// This bed's mounts on the machine.
    fn mounts(&self) -> Vec<String> {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let directory = self.directory.to_string_lossy();
        mounts
            .lines()
            .filter(|line| line.starts_with("pallet ") || line.contains(&*directory))
            .map(str::to_owned)
            .collect()
    }

    /// Removes everything, and checks that nothing is left.
    pub(super) fn down(&self) {
        let nodes: Vec<_> = self
            .sandbox
            .nodes()
            .unwrap()
            .iter()
            .filter_map(|node| self.record(&node.name).process)
            .collect();
        assert_eq!(self.mounts(), Vec::<String>::new(), "not even while nodes run");
        take_down(&self.sandbox).unwrap();
        assert!(!self.context.data_directory.exists());
        assert_eq!(self.mounts(), Vec::<String>::new());
        assert_eq!(self.links(), Vec::<String>::new());
        for process in nodes {
            assert!(!process.is_alive());
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        // removes everything from the machine after a failure, too
        let program = ServiceContext { directory: PathBuf::new(), ..self.context.clone() };
        let _ =
            Sandbox::connect(self.options.clone(), program).and_then(|sandbox| take_down(&sandbox));
    }
}

/// Destroys all nodes of a service, and its other resources.
pub(super) fn take_down(sandbox: &Sandbox) -> Result<()> {
    let ids: Vec<_> = sandbox.nodes()?.into_iter().map(|node| node.id).collect();
    sandbox.destroy_nodes(&ids)?;
    sandbox.clean_up()
}

pub(super) fn run(sandbox: &Sandbox, names: &[&str]) -> Vec<Created> {
    sandbox.run_nodes(&wish("web", names)).unwrap()
}

pub(super) fn wish(group: &str, names: &[&str]) -> RunNodes {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    RunNodes { group: group.into(), names, token: "token".into(), ..Default::default() }
}

pub(super) fn made(created: Created) -> Result<Node, PluginError> {
    match created {
        Created::Node(node) => Ok(*node),
        Created::Failed(error) => Err(error),
    }
}

/// Runs a script in a node.
pub(super) fn script(node: &Node, text: &str) -> Output {
    let Connection::Exec { command } = &node.connection else { panic!("{:?}", node.connection) };
    Command::new(&command[0]).args(&command[1..]).args(["sh", "-c", text]).output().unwrap()
}

/// The output of a script in a node.
pub(super) fn sh(node: &Node, text: &str) -> String {
    let output = script(node, text);
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

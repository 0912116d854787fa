//! The provider: makes, starts, lists and destroys nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pallet_core::prelude::*;

use crate::disk::{self, Layout};
use crate::image::{self, Root};
use crate::init::{Starting, confinement};
use crate::lock::Lock;
use crate::machine;
use crate::network::{Bridge, Network};
use crate::options::Options;
use crate::resolve;
use crate::store::{self, Record, Store};

/// One configured service of this provider.
pub(crate) struct Sandbox {
    context: ServiceContext,
    options: Options,
    network: Network,
    store: Store,
}

impl Provider for Sandbox {
    const NAME: &'static str = "sandbox";
    const ABOUT: &'static str = crate::ABOUT;
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let network = Network::new(&options.network, &options.bridge)?;
        Ok(Sandbox { store: Store::new(&context), context, options, network })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        let (mut records, remains) = self.store.nodes()?;
        // whoever has the lock may be about to complete them
        if !remains.is_empty()
            && machine::is_root()
            && let Some(_lock) = Lock::try_take(&self.store.data)?
        {
            let remains;
            (records, remains) = self.store.nodes()?;
            self.remove_remains(&remains)?;
        }
        let boot_id = machine::boot_id()?;
        Ok(records.iter().map(|record| node(record, &boot_id)).collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        machine::check()?;
        let root = match self.suitable(&wanted.spec) {
            Ok(root) => root,
            Err(error) => return Ok(wanted.names.iter().map(|_| Created::Failed(error.clone())).collect()),
        };
        let _lock = Lock::take(&self.store.data)?;
        let (known, remains) = self.store.nodes()?;
        self.remove_remains(&remains)?;
        let run = Run {
            sandbox: self,
            wanted,
            root,
            bridge: self.network.ensure()?,
            boot_id: machine::boot_id()?,
            resolve: resolve::resolv_conf(),
        };
        let mut taken: BTreeSet<_> = self.store.nodes_of_all()?.into_iter().map(|record| record.address).collect();

        // all are under way before the first is waited for
        let mut names = BTreeSet::new();
        let steps: Vec<Result<Step>> = wanted
            .names
            .iter()
            .map(|name| {
                ensure!(names.insert(name), PluginError::new(ErrorKind::InvalidInput, format!("node {name} is asked for twice")));
                run.begin(name, known.iter().find(|record| record.name == *name), &mut taken)
            })
            .collect();
        let outcomes = steps.into_iter().zip(&wanted.names).map(|(step, name)| {
            let record = step.and_then(|step| run.finish(step)).with_context(|| format!("node {name}"));
            match record {
                Ok(record) => Created::Node(Box::new(node(&record, &run.boot_id))),
                Err(error) => Created::Failed(error.into()),
            }
        });
        Ok(outcomes.collect())
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        let known = |records: &[Record]| records.iter().any(|record| ids.contains(&record.id));
        if !known(&self.store.nodes()?.0) {
            return Ok(());
        }
        machine::check()?;
        let _lock = Lock::take(&self.store.data)?;
        let (records, _) = self.store.nodes()?;
        let boot_id = machine::boot_id()?;
        let doomed: Vec<_> = records.iter().filter(|record| ids.contains(&record.id)).collect();
        for process in doomed.iter().filter_map(|record| record.running(&boot_id)) {
            process.kill()?;
        }
        for record in doomed {
            self.remove(record, &boot_id).with_context(|| format!("node {}", record.name))?;
        }
        Ok(())
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let _lock = Lock::take(&self.store.data)?;
        let (records, _) = self.store.nodes()?;
        let Some(mut record) = records.into_iter().find(|record| record.id == id) else {
            return Err(PluginError::new(ErrorKind::NotFound, format!("provider sandbox has no node with id {id}")).into());
        };
        record.tags.extend(tags.clone());
        self.store.save(&record)
    }

    fn clean_up(&self) -> Result<()> {
        if !self.store.data.exists() || !machine::is_root() {
            return Ok(());
        }
        let _lock = Lock::take(&self.store.data)?;
        self.remove_remains(&self.store.nodes()?.1)?;
        if self.store.nodes_of_all()?.is_empty() {
            self.network.remove()?;
        }
        self.store.remove_empty();
        Ok(())
    }

    fn images(&self) -> Result<Vec<Image>> {
        let name = |root: &Root| match &root.os {
            Some(os) if root.is_machine() => format!("this machine's own root, {os}"),
            Some(os) => format!("{}, {os}", root.directory.display()),
            None => root.directory.display().to_string(),
        };
        Ok(self.roots().into_iter().map(|root| Image { name: name(&root), id: root.id, os: root.os }).collect())
    }

    fn hardware(&self) -> Result<Vec<Hardware>> {
        let disk = machine::free_disk(&self.store.data);
        Ok(vec![Hardware { id: image::MACHINE.to_owned(), cores: machine::cores(), ram: machine::memory(), disk }])
    }

    fn locations(&self) -> Result<Vec<Location>> {
        Ok(vec![Location { id: image::MACHINE.to_owned(), name: "this machine".to_owned() }])
    }
}

impl Sandbox {
    fn roots(&self) -> Vec<Root> {
        image::all(&self.options, &self.context.directory)
    }

    /// The image for a node-spec, if the machine satisfies the rest of it.
    fn suitable(&self, spec: &NodeSpec) -> Result<Root, PluginError> {
        let hardware = spec.hardware.clone().unwrap_or_default();
        let lacks = |what: String| {
            let error = PluginError::new(ErrorKind::InvalidInput, format!("provider sandbox cannot make this node: {what}"));
            error.with_help("ask for less in its node-spec")
        };
        let (cores, memory) = (machine::cores(), machine::memory());
        if let Some(wanted) = hardware.min_cores.filter(|wanted| *wanted > cores) {
            return Err(lacks(format!("min_cores is {wanted}, and this machine has {cores}")));
        }
        if let Some(wanted) = hardware.min_ram.filter(|wanted| *wanted > memory) {
            return Err(lacks(format!("min_ram is {wanted} MiB, and this machine has {memory}")));
        }
        let disk = machine::free_disk(&self.store.data);
        if let (Some(wanted), Some(free)) = (hardware.min_disk, disk)
            && wanted > free
        {
            return Err(lacks(format!("min_disk is {wanted} GiB, and {free} are free in {}", self.store.data.display())));
        }
        let location = spec.location.as_ref().and_then(|location| location.location_id.as_ref());
        for (what, id) in [("hardware_id", &hardware.hardware_id), ("location_id", &location.cloned())] {
            if let Some(id) = id.as_ref().filter(|id| *id != image::MACHINE) {
                return Err(lacks(format!("{what} is `{id}`, and there is only `{}`", image::MACHINE)));
            }
        }
        image::choose(&self.roots(), &spec.image.clone().unwrap_or_default())
    }

    fn layout(&self, root: &Root) -> Layout {
        Layout::of(root, &[&self.context.directory, &self.context.data_directory, &self.context.home])
    }

    /// Removes all that there is of a node.
    fn remove(&self, record: &Record, boot_id: &str) -> Result<()> {
        if let Some(process) = record.running(boot_id) {
            process.kill()?;
            process.wait()?;
        }
        self.network.disconnect(&record.device)?;
        remove_directory(self.store.directory(&record.name))
    }

    /// Removes what creations left that were interrupted. Their processes ended with the provider that made them.
    fn remove_remains(&self, remains: &[PathBuf]) -> Result<()> {
        for directory in remains {
            if let Some(record) = store::read(directory) {
                self.network.disconnect(&record.device)?;
            }
            remove_directory(directory.clone())?;
        }
        Ok(())
    }

    /// The name of the machine's end of a node's cable: at most 15 bytes, and no other node's.
    fn device(&self, name: &str) -> String {
        let words = [self.network.bridge.as_str(), &self.store.service.to_string_lossy(), name];
        format!("pv{:012x}", store::digest(&words) >> 16)
    }
}

/// One call of `run_nodes`.
struct Run<'a> {
    sandbox: &'a Sandbox,
    wanted: &'a RunNodes,
    root: Root,
    bridge: Bridge,
    boot_id: String,
    resolve: String,
}

/// A node on its way.
enum Step {
    /// It runs already.
    Running(Record),
    /// Its first process is building its root.
    Starting { record: Record, starting: Box<Starting>, new: bool },
}

impl Run<'_> {
    /// Makes a node's disk, if it has none, and starts its first process.
    fn begin(&self, name: &str, known: Option<&Record>, taken: &mut BTreeSet<std::net::Ipv4Addr>) -> Result<Step> {
        let invalid = |message: String| PluginError::new(ErrorKind::InvalidInput, message);
        ensure!(is_host_name(name), invalid(format!("`{name}` cannot be a host name")));
        let (mut record, root, new) = match known {
            Some(record) => {
                ensure!(record.group == self.wanted.group, invalid(format!("it exists, in group {}", record.group)));
                if record.running(&self.boot_id).is_some() {
                    return Ok(Step::Running(record.clone()));
                }
                let root = Root { id: record.image.clone(), directory: record.root.clone(), os: None };
                (record.clone(), root, false)
            }
            None => (self.record(name, taken)?, self.root.clone(), true),
        };
        if !self.sandbox.network.can_have(record.address)? {
            record.address = self.sandbox.network.free_address(taken)?;
        }
        taken.insert(record.address);
        record.isolated.clone_from(&self.bridge.isolated);

        let directory = self.sandbox.store.directory(name);
        let layout = self.sandbox.layout(&root);
        let mut begin = || -> Result<Starting> {
            if new {
                store::make_private_directory(&directory)?;
                self.sandbox.store.save(&record)?;
                record.disk_in_memory = !disk::create(&directory, &root, &layout)?;
            }
            Starting::spawn(&directory, &record, &layout, new || record.disk_in_memory, &self.resolve)
        };
        match begin() {
            Ok(starting) => Ok(Step::Starting { record, starting: Box::new(starting), new }),
            Err(error) => {
                if new {
                    remove_directory(directory)?;
                }
                Err(error)
            }
        }
    }

    /// Connects the node, and lets it run.
    fn finish(&self, step: Step) -> Result<Record> {
        let (mut record, mut starting, new) = match step {
            Step::Running(record) => return Ok(record),
            Step::Starting { record, starting, new } => (record, starting, new),
        };
        let mut process = None;
        let mut finish = || -> Result<()> {
            let first = starting.process()?;
            process = Some(first);
            self.sandbox.network.connect(&self.bridge, &record, first.pid)?;
            starting.built()?;
            record.boot_id.clone_from(&self.boot_id);
            record.process = Some(first);
            record.complete = true;
            self.sandbox.store.save(&record)
        };
        match finish().and_then(|()| starting.go()) {
            Ok(()) => Ok(record),
            Err(error) => {
                if let Some(process) = process {
                    process.kill()?;
                    process.wait()?;
                }
                if new {
                    self.sandbox.remove(&record, &self.boot_id)?;
                }
                Err(error)
            }
        }
    }

    fn record(&self, name: &str, taken: &BTreeSet<std::net::Ipv4Addr>) -> Result<Record> {
        Ok(Record {
            id: machine::random_id()?,
            name: name.to_owned(),
            group: self.wanted.group.clone(),
            tags: BTreeMap::new(),
            created: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            token: self.wanted.token.clone(),
            image: self.root.id.clone(),
            root: self.root.directory.clone(),
            address: self.sandbox.network.free_address(taken)?,
            device: self.sandbox.device(name),
            disk_in_memory: false,
            isolated: None,
            boot_id: self.boot_id.clone(),
            process: None,
            complete: false,
        })
    }
}

/// A node as Pallet sees it.
fn node(record: &Record, boot_id: &str) -> Node {
    let process = record.running(boot_id);
    let mut tags = record.tags.clone();
    if record.disk_in_memory {
        tags.insert("disk".to_owned(), "in memory, lost when it stops: no file system here can hold an overlay".to_owned());
    }
    if let Some(why) = &record.isolated {
        tags.insert("network".to_owned(), format!("no outside: {why}"));
    }
    Node {
        id: record.id.clone(),
        name: record.name.clone(),
        group: Some(record.group.clone()),
        address: Some(record.address.to_string()),
        connection: Connection::Exec { command: command(record, process.map_or(0, |process| process.pid)) },
        status: if process.is_some() { NodeStatus::Running } else { NodeStatus::Stopped },
        os: image::os_of(&record.root),
        tags,
        taggable: true,
        created: record.created,
    }
}

/// What runs the command after it in the node: as root, with a clean environment, in `/`.
fn command(record: &Record, pid: u32) -> Vec<String> {
    let pid = pid.to_string();
    let enter = ["nsenter", "--target", &pid, "--mount", "--uts", "--ipc", "--net", "--pid"];
    let path = format!("PATH={}", machine::PATH);
    let clean =
        ["env", "-i", &path, "HOME=/root", "USER=root", "LOGNAME=root", "SHELL=/bin/sh", "LANG=C.UTF-8", "TERM=xterm", "container=pallet"];
    let words = enter.iter().map(|word| (*word).to_owned()).chain(confinement(&record.root));
    words.chain(clean.iter().map(|word| (*word).to_owned())).collect()
}

fn remove_directory(path: PathBuf) -> Result<()> {
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

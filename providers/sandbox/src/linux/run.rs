//! A call of `run_nodes`: creates new nodes, and starts existing ones.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use pallet_core::prelude::*;

use crate::linux::boot::Boot;
use crate::linux::cgroup;
use crate::linux::console::Console;
use crate::linux::disk;
use crate::linux::image::Root;
use crate::linux::init::{LOG, Starting};
use crate::linux::lock::Lock;
use crate::linux::machine;
use crate::linux::network::Bridge;
use crate::linux::process::Process;
use crate::linux::sandbox::Sandbox;
use crate::linux::store::{Record, Store, remove_directory};
use crate::options::Init;

/// A call of `run_nodes`.
pub(crate) struct Run<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) wanted: &'a RunNodes,
    /// The root of new nodes.
    pub(crate) root: Result<Root, PluginError>,
    pub(crate) bridge: Bridge,
    /// The creation time of its new nodes.
    pub(crate) created: u64,
    pub(crate) boot_id: String,
    pub(crate) resolve: String,
}

/// The inotify instances of a node with systemd: 5 of systemd itself, one each of dbus and logind,
/// and one more.
const INOTIFY_INSTANCES: usize = 8;

/// A node that is being started.
pub(crate) enum Step {
    /// It is already running.
    Running(Record),
    /// Its first process is preparing its root.
    Starting {
        record: Record,
        starting: Box<Starting>,
        new: bool,
        /// What its systemd will need of the machine, so that no other node takes it before.
        reserved: Vec<OwnedFd>,
    },
}

/// A node whose first process runs.
pub(crate) struct Started {
    pub(crate) record: Record,
    /// Its boot, which may not be complete.
    boot: Option<Boot>,
    /// Whether this call started it.
    ours: bool,
    new: bool,
}

/// A node that may be booting.
enum Waiting<'scope> {
    Ended(Box<Result<Record>>),
    Booting(ScopedJoinHandle<'scope, Result<Record>>),
}

impl Waiting<'_> {
    fn end(self) -> Result<Record> {
        match self {
            Waiting::Ended(record) => *record,
            Waiting::Booting(thread) => {
                thread.join().unwrap_or_else(|_| Err(anyhow!("waiting for its boot failed")))
            }
        }
    }
}

impl Run<'_> {
    /// Creates a node's disk, if it has none, and starts its first process.
    pub(crate) fn begin(
        &self,
        name: &str,
        known: Option<&Record>,
        taken: &mut BTreeSet<Ipv4Addr>,
    ) -> Result<Step> {
        let invalid = |message: String| PluginError::invalid_input(message);
        ensure!(is_host_name(name), invalid(format!("`{name}` cannot be a host name")));
        let (mut record, root, new) = match known {
            Some(record) => {
                ensure!(
                    record.group == self.wanted.group,
                    invalid(format!("it exists, in group {}", record.group))
                );
                if let Some(process) = record.running(&self.boot_id) {
                    // without a reader of its console, a boot takes minutes
                    if record.booted_by.is_none_or(Process::is_alive) {
                        return Ok(Step::Running(record.clone()));
                    }
                    process.kill()?;
                    process.wait()?;
                }
                let root =
                    Root { id: record.image.clone(), directory: record.root.clone(), os: None };
                (record.clone(), root, false)
            }
            None => {
                let root = self.root.clone()?;
                (self.record(name, &root, taken)?, root, true)
            }
        };
        if !self.sandbox.network.can_have(&record)? {
            record.address = self.sandbox.network.free_address(taken)?;
        }
        taken.insert(record.address);
        record.isolated.clone_from(&self.bridge.isolated);

        let directory = self.sandbox.store.directory(name);
        let layout = self.sandbox.layout(&root);
        let mut reserved = Vec::new();
        let mut begin = || -> Result<Starting> {
            if record.init == Init::Systemd {
                record.cgroup = Some(cgroup::of_node(&record.id)?);
                reserved = machine::inotify_instances(INOTIFY_INSTANCES)?;
            }
            if new {
                files::make_private_directory(&directory)?;
                self.sandbox.store.save(&record)?;
                record.disk_in_memory = !disk::create(&directory, &root, &layout)?;
            }
            if let Some(group) = &record.cgroup {
                cgroup::create(group)?;
            }
            Starting::spawn(
                &directory,
                &record,
                &layout,
                new || record.disk_in_memory,
                &self.resolve,
            )
        };
        match begin() {
            Ok(starting) => {
                Ok(Step::Starting { record, starting: Box::new(starting), new, reserved })
            }
            Err(error) => {
                if let Some(group) = &record.cgroup {
                    cgroup::remove(group)?;
                }
                if new {
                    remove_directory(&directory)?;
                }
                Err(error)
            }
        }
    }

    /// Connects the node to the network, and lets it run.
    pub(crate) fn finish(&self, step: Step) -> Result<Started> {
        let (mut record, mut starting, new, reserved) = match step {
            Step::Running(record) => {
                let boot = record.process.map(|process| self.boot(&record, process, None));
                return Ok(Started { boot: boot.flatten(), record, ours: false, new: false });
            }
            Step::Starting { record, starting, new, reserved } => (record, starting, new, reserved),
        };
        let mut process = None;
        let mut console = None;
        let mut finish = || -> Result<()> {
            let first = starting.process()?;
            process = Some(first);
            self.sandbox.network.connect(&self.bridge, &record, first.pid)?;
            starting.built()?;
            if record.init == Init::Systemd {
                console = Some(Console::open(first, &self.log(&record))?);
            }
            record.boot_id.clone_from(&self.boot_id);
            record.process = Some(first);
            record.booted_by =
                Process::now(std::process::id()).filter(|_| record.init == Init::Systemd);
            record.complete = true;
            self.sandbox.store.save(&record)
        };
        let finished = finish();
        drop(reserved);
        match finished.and_then(|()| starting.go(console.as_ref())) {
            Ok(()) => {
                let boot = process.and_then(|process| self.boot(&record, process, console));
                Ok(Started { record, boot, ours: true, new })
            }
            Err(error) => {
                if let Some(process) = process {
                    process.kill()?;
                    process.wait()?;
                }
                self.give_up(&record, new)?;
                Err(error)
            }
        }
    }

    /// Waits until all nodes have booted. The lock is not needed: others can start nodes meanwhile.
    pub(crate) fn wait_for_all(&self, nodes: Vec<Result<Started>>) -> Vec<Result<Record>> {
        thread::scope(|scope| {
            let wait = |node: Result<Started>| -> Waiting<'_> {
                match node {
                    Ok(Started { record, boot: None, .. }) => Waiting::Ended(Box::new(Ok(record))),
                    Ok(Started { record, boot: Some(boot), ours, new }) => {
                        // each by a thread of its own: all their consoles must be read
                        let wait = move || self.wait(record, boot, ours, new);
                        Waiting::Booting(scope.spawn(wait))
                    }
                    Err(error) => Waiting::Ended(Box::new(Err(error))),
                }
            };
            let waiting: Vec<_> = nodes.into_iter().map(wait).collect();
            waiting.into_iter().map(Waiting::end).collect()
        })
    }

    fn wait(&self, record: Record, boot: Boot, ours: bool, new: bool) -> Result<Record> {
        let process = boot.process;
        let patience = Duration::from_secs(self.sandbox.options.timeout);
        let outcome = boot.wait(patience, &self.sandbox.context.host);
        let directory = self.sandbox.store.directory(&record.name);
        // another process may have destroyed it meanwhile, or even created it again
        let stored = || Store::read(&directory).filter(|now| now.process == Some(process));
        match outcome {
            Ok(()) => {
                let _lock = Lock::take(&self.sandbox.store.data)?;
                if let Some(now) = stored() {
                    self.sandbox.store.save(&Record { booted_by: None, ..now })?;
                }
                Ok(Record { booted_by: None, ..record })
            }
            Err(error) if ours => {
                let _lock = Lock::take(&self.sandbox.store.data)?;
                process.kill()?;
                process.wait()?;
                if stored().is_some() {
                    self.give_up(&record, new)?;
                }
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    fn boot(&self, record: &Record, process: Process, console: Option<Console>) -> Option<Boot> {
        (record.init == Init::Systemd).then(|| Boot { process, log: self.log(record), console })
    }

    fn log(&self, record: &Record) -> PathBuf {
        self.sandbox.store.directory(&record.name).join(LOG)
    }

    /// Removes a new node, and what a stopped one does not need.
    fn give_up(&self, record: &Record, new: bool) -> Result<()> {
        if new {
            return self.sandbox.remove(record, &self.boot_id);
        }
        record.cgroup.as_deref().map_or(Ok(()), cgroup::remove)
    }

    fn record(&self, name: &str, root: &Root, taken: &BTreeSet<Ipv4Addr>) -> Result<Record> {
        Ok(Record {
            id: machine::random_id()?,
            name: name.to_owned(),
            group: self.wanted.group.clone(),
            tags: self.wanted.spec.tags.clone(),
            created: self.created,
            token: self.wanted.token.clone(),
            image: root.id.clone(),
            root: root.directory.clone(),
            address: self.sandbox.network.free_address(taken)?,
            device: self.sandbox.device(name),
            disk_in_memory: false,
            init: self.sandbox.options.init,
            cgroup: None,
            isolated: None,
            boot_id: self.boot_id.clone(),
            process: None,
            booted_by: None,
            complete: false,
        })
    }
}

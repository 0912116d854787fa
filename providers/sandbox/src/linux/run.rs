//! A call of `run_nodes`: creates new nodes, and starts existing ones.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use pallet_core::prelude::*;

use crate::linux::disk;
use crate::linux::image::Root;
use crate::linux::init::Starting;
use crate::linux::machine;
use crate::linux::network::Bridge;
use crate::linux::sandbox::Sandbox;
use crate::linux::store::{Record, remove_directory};

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

/// A node that is being started.
pub(crate) enum Step {
    /// It is already running.
    Running(Record),
    /// Its first process is preparing its root.
    Starting { record: Record, starting: Box<Starting>, new: bool },
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
                if record.running(&self.boot_id).is_some() {
                    return Ok(Step::Running(record.clone()));
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
        let mut begin = || -> Result<Starting> {
            if new {
                files::make_private_directory(&directory)?;
                self.sandbox.store.save(&record)?;
                record.disk_in_memory = !disk::create(&directory, &root, &layout)?;
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
            Ok(starting) => Ok(Step::Starting { record, starting: Box::new(starting), new }),
            Err(error) => {
                if new {
                    remove_directory(&directory)?;
                }
                Err(error)
            }
        }
    }

    /// Connects the node to the network, and lets it run.
    pub(crate) fn finish(&self, step: Step) -> Result<Record> {
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
            isolated: None,
            boot_id: self.boot_id.clone(),
            process: None,
            complete: false,
        })
    }
}

//! A call of `run_nodes`: creates machines one after the other while holding the lock, then waits
//! for all of them.

use std::collections::BTreeSet;

use pallet_core::prelude::*;

use crate::accel::{self, Mode};
use crate::host_key::HostKey;
use crate::image::{Disk, Kernel};
use crate::machine::{Machine, NotStarted};
use crate::seed::Seed;
use crate::service::Qemu;
use crate::store::{self, Record};
use crate::{port, process};

/// How often another program may take a port that was just free.
const PORT_ATTEMPTS: usize = 5;

/// A call of `run_nodes`.
pub(crate) struct Run<'a> {
    pub(crate) qemu: &'a Qemu,
    pub(crate) wanted: &'a RunNodes,
}

/// A node that is being started.
pub(super) struct Begun {
    pub(super) record: Record,
    /// `None` if it already runs and has answered.
    pub(super) mode: Option<Mode>,
    pub(super) new: bool,
}

/// What new nodes are created from.
pub(super) struct NodeSource {
    disk: Disk,
    kernel: Option<Kernel>,
    image: Image,
    hardware: Hardware,
}

impl Run<'_> {
    /// Returns a result for each name.
    pub(crate) fn all(&self) -> Result<Vec<Created>> {
        let store = &self.qemu.store;
        let lock = store::lock(store)?;
        store::remove_remains(store, &lock)?;
        let (known, mut taken) = (store.nodes()?, store::ports(store)?);
        let begin = |name: &String| {
            let begun = self.not_cancelled(name).and_then(|()| {
                self.begin(name, known.iter().find(|node| node.name == *name), &mut taken)
            });
            begun.map_err(failure)
        };
        let begun: Vec<_> = self.wanted.names.iter().map(begin).collect();
        drop(lock);
        let finish = |begun: Begun| self.finish(begun).map_err(failure);
        let created = std::thread::scope(|scope| {
            let waiting: Vec<_> = begun
                .into_iter()
                .map(|begun| begun.map(|begun| scope.spawn(move || finish(begun))))
                .collect();
            let wait = |waiting: Result<
                std::thread::ScopedJoinHandle<'_, Result<Record, PluginError>>,
                PluginError,
            >| {
                let panicked = || {
                    PluginError::new(ErrorKind::Panicked, "provider qemu panicked while it waited")
                };
                match waiting.and_then(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))) {
                    Ok(record) => Created::Node(Box::new(self.qemu.node(&record))),
                    Err(error) => Created::Failed(error),
                }
            };
            waiting.into_iter().map(wait).collect()
        });
        if let Ok(_lock) = store::lock(store) {
            store.remove_empty();
        }
        Ok(created)
    }

    fn begin(
        &self,
        name: &str,
        known: Option<&Record>,
        taken: &mut BTreeSet<u16>,
    ) -> Result<Begun> {
        let invalid = |message: String| PluginError::invalid_input(message);
        ensure!(is_host_name(name), invalid(format!("`{name}` cannot be a host name")));
        let mode = Mode::of(self.qemu.options.accel, &self.qemu.arch, &self.qemu.store.data)?;
        if let Some(record) = known {
            ensure!(
                record.group == self.wanted.group,
                invalid(format!("{name} exists, in group {}", record.group))
            );
            let mut record = record.clone();
            let runs = process::of(&self.qemu.store.directory(name)).is_some();
            let mode = match (runs, record.answered) {
                (true, true) => None,
                // the process that started it ended before it answered
                (true, false) => Some(mode),
                (false, _) => Some(self.start(&mut record, mode, taken)?),
            };
            return Ok(Begun { record, mode, new: false });
        }
        let directory = self.qemu.store.directory(name);
        let mut make = || -> Result<Begun> {
            let source = self.source()?;
            let mut record = self.make(name, &source)?;
            let mode = self.start(&mut record, mode, taken)?;
            Ok(Begun { record, mode: Some(mode), new: true })
        };
        make().inspect_err(|_| {
            // the next call removes what is left
            let _ = store::remove(&directory);
        })
    }

    /// What the host chose for new nodes.
    pub(super) fn source(&self) -> Result<NodeSource, PluginError> {
        let invalid = |message: String| PluginError::invalid_input(message);
        let options = &self.qemu.options;
        let known = |kinds: Vec<&String>| {
            kinds.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        let service = &self.qemu.context.service;
        let image = self.wanted.image.clone().ok_or_else(|| {
            let message = format!("no image of services.{service}.images satisfies the node-spec");
            invalid(message)
                .with_help(format!("there are {}", known(options.images.keys().collect())))
        })?;
        let chosen = options.images.get(&image.id).ok_or_else(|| {
            invalid(format!("there is no image `{}` in services.{service}.images", image.id))
        })?;
        let hardware = self.wanted.hardware.clone();
        let hardware = hardware.ok_or_else(|| {
            invalid("this machine does not satisfy the hardware of the node-spec".to_owned())
        })?;
        let directory = &self.qemu.context.directory;
        Ok(NodeSource {
            disk: Disk::open(&directory.join(&chosen.path))?,
            kernel: chosen.kernel(directory)?,
            image,
            hardware,
        })
    }

    /// Creates everything of a node but its process.
    fn make(&self, name: &str, source: &NodeSource) -> Result<Record> {
        let admin = &self.qemu.context.admin_user;
        if admin.public_keys.is_empty() {
            let error = PluginError::invalid_input(
                "the admin user has no public key, so that nobody could log in to a new node",
            );
            return Err(error
                .with_help("make one with ssh-keygen, or name `public_keys` under [admin_user]")
                .into());
        }
        let directory = self.qemu.store.directory(name);
        files::make_private_directory(&directory)?;
        let id = std::fs::read_to_string("/proc/sys/kernel/random/uuid")
            .context("cannot make an id")?
            .trim()
            .to_owned();
        let host_key = HostKey::generate()?;
        let user = source.image.login_user.as_ref().unwrap_or(&admin.name);
        let seed = Seed {
            instance: &id,
            host_name: name,
            user,
            public_keys: &admin.public_keys,
            host_key: &host_key,
        };
        let machine = self.qemu.machine(&directory);
        seed.write(&machine.seed())?;
        self.make_disk(&machine, source)?;
        let inbound = self.wanted.spec.network.iter().flat_map(|network| &network.inbound_ports);
        Ok(Record {
            id,
            name: name.to_owned(),
            group: self.wanted.group.clone(),
            tags: self.wanted.spec.tags.clone(),
            created: unix_time(),
            login_user: source.image.login_user.clone(),
            os: source.image.os.clone(),
            cores: source.hardware.cores,
            ram: source.hardware.ram,
            kernel: source.kernel.clone(),
            // 0: the port is chosen later
            ports: [&22].into_iter().chain(inbound).map(|inside| (*inside, 0)).collect(),
            host_key: host_key.public,
            complete: false,
            answered: false,
        })
    }

    pub(super) fn make_disk(&self, machine: &Machine<'_>, source: &NodeSource) -> Result<()> {
        let min_disk = self.wanted.spec.hardware.as_ref().and_then(|hardware| hardware.min_disk);
        source.disk.overlay(&machine.disk(), min_disk)
    }

    /// Starts the process of a node, and saves its record.
    fn start(&self, record: &mut Record, mode: Mode, taken: &mut BTreeSet<u16>) -> Result<Mode> {
        let directory = self.qemu.store.directory(&record.name);
        let machine = self.qemu.machine(&directory);
        let (mut mode, mut attempts) = (mode, 0);
        record.answered = false;
        let mut without_kvm = None;
        loop {
            for outside in record.ports.values_mut() {
                if *outside == 0 || !port::is_free(*outside) {
                    *outside = port::choose(taken)?;
                }
            }
            self.qemu.store.save(record)?;
            match machine.start(record, mode != Mode::Tcg) {
                Ok(()) => break,
                Err(NotStarted::PortTaken) if attempts < PORT_ATTEMPTS => attempts += 1,
                Err(NotStarted::PortTaken) => {
                    bail!(PluginError::transient("the ports of this machine are taken too fast"))
                }
                // other errors of the machine would also occur in emulation
                Err(NotStarted::Failed(error)) if mode == Mode::TryKvm => {
                    mode = Mode::Tcg;
                    without_kvm = Some(error);
                }
                Err(NotStarted::Failed(error)) => return Err(error.into()),
            }
        }
        if let Some(error) = without_kvm {
            self.say(
                &record.name,
                &format!(
                    "runs in emulation, which is slow: KVM does not work here: {}",
                    error.message
                ),
            );
            accel::remember_failure(&self.qemu.store.data);
        }
        record.complete = true;
        self.qemu.store.save(record)?;
        Ok(mode)
    }

    pub(super) fn say(&self, name: &str, what: &str) {
        self.qemu.context.host.progress(format!("{name} {what}"));
    }

    pub(super) fn not_cancelled(&self, name: &str) -> Result<()> {
        let cancelled = self.qemu.context.host.is_cancelled();
        ensure!(
            !cancelled,
            PluginError::cancelled(format!("{name} was not waited for: the operation was stopped"))
        );
        Ok(())
    }
}

/// The error with its causes, in one line.
fn failure(error: anyhow::Error) -> PluginError {
    error.into()
}

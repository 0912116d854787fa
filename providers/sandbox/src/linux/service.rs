//! The provider: makes, starts, lists and destroys nodes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pallet_core::prelude::*;

use crate::linux::disk::Layout;
use crate::linux::image::{self, Root};
use crate::linux::lock::{DataLock, Lock};
use crate::linux::machine;
use crate::linux::network::Network;
use crate::linux::node::node;
use crate::linux::owner::Owner;
use crate::linux::resolve;
use crate::linux::run::{Run, Step};
use crate::linux::store::{self, Record, Store, remove_directory};
use crate::options::Options;

/// One configured service of this provider.
pub(crate) struct Sandbox {
    context: ServiceContext,
    options: Options,
    pub(crate) network: Network,
    pub(crate) store: Store,
    owner: Owner,
}

impl Provider for Sandbox {
    const NAME: &'static str = "sandbox";
    const ABOUT: &'static str = crate::ABOUT;
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let network = Network::new(&options.network, &options.bridge)?;
        image::check(&options, &context.directory)?;
        Ok(Sandbox {
            store: Store::new(&context),
            owner: Owner::new(&context),
            context,
            options,
            network,
        })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        self.owner.check(&self.store)?;
        let (mut records, remains) = self.store.nodes()?;
        // whoever has the lock may be about to complete them
        if !remains.is_empty()
            && machine::is_root()
            && let Some(_lock) = DataLock::try_take(&self.store.data)?
        {
            let remains;
            (records, remains) = self.store.nodes()?;
            self.remove_remains(&remains)?;
        }
        let boot_id = machine::boot_id()?;
        Ok(records.iter().map(|record| node(record, &boot_id)).collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        if wanted.names.is_empty() {
            return Ok(Vec::new());
        }
        self.owner.check(&self.store)?;
        machine::check()?;
        let root = self.root(wanted);
        if let Err(error) = &root
            && !self.store.nodes()?.0.iter().any(|record| wanted.names.contains(&record.name))
        {
            // nothing can be made, and nothing is there to be started
            return Ok(wanted.names.iter().map(|_| Created::Failed(error.clone())).collect());
        }
        let _lock = Lock::take(&self.store.data)?;
        self.owner.check(&self.store)?;
        let (known, remains) = self.store.nodes()?;
        self.remove_remains(&remains)?;
        let run = Run {
            sandbox: self,
            wanted,
            root,
            bridge: self.network.ensure()?,
            created: now_after(known.iter().filter(|record| record.group == wanted.group)),
            boot_id: machine::boot_id()?,
            resolve: resolve::resolv_conf(),
        };
        self.owner.claim(&self.store)?;
        let mut taken: BTreeSet<_> =
            self.store.nodes_of_all()?.into_iter().map(|record| record.address).collect();

        // all are under way before the first is waited for
        let mut names = BTreeSet::new();
        let steps: Vec<Result<Step>> = wanted
            .names
            .iter()
            .map(|name| {
                ensure!(
                    names.insert(name),
                    PluginError::new(
                        ErrorKind::InvalidInput,
                        format!("node {name} is asked for twice")
                    )
                );
                run.begin(name, known.iter().find(|record| record.name == *name), &mut taken)
            })
            .collect();
        let outcomes = steps.into_iter().zip(&wanted.names).map(|(step, name)| {
            let record = step.and_then(|step| run.finish(step)).with_context(|| {
                format!(
                    "node \
                {name}"
                )
            });
            match record {
                Ok(record) => Created::Node(Box::new(node(&record, &run.boot_id))),
                Err(error) => Created::Failed(error.into()),
            }
        });
        Ok(outcomes.collect())
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        self.owner.check(&self.store)?;
        let known = |records: &[Record]| records.iter().any(|record| ids.contains(&record.id));
        if !known(&self.store.nodes()?.0) {
            return Ok(());
        }
        machine::check()?;
        let _lock = Lock::take(&self.store.data)?;
        self.owner.check(&self.store)?;
        let (records, _) = self.store.nodes()?;
        let boot_id = machine::boot_id()?;
        let doomed: Vec<_> = records.iter().filter(|record| ids.contains(&record.id)).collect();
        for process in doomed.iter().filter_map(|record| record.running(&boot_id)) {
            process.kill()?;
        }
        // one that cannot be removed keeps no other
        let outcomes = doomed.iter().map(|record| {
            self.remove(record, &boot_id).with_context(|| format!("node {}", record.name))
        });
        outcomes.collect::<Vec<_>>().into_iter().collect()
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let _lock = Lock::take(&self.store.data)?;
        self.owner.check(&self.store)?;
        let (records, _) = self.store.nodes()?;
        let Some(mut record) = records.into_iter().find(|record| record.id == id) else {
            return Err(PluginError::new(
                ErrorKind::NotFound,
                format!(
                    "provider sandbox has no node \
                with id {id}"
                ),
            )
            .into());
        };
        record.tags.extend(tags.clone());
        self.store.save(&record)
    }

    fn clean_up(&self) -> Result<()> {
        self.owner.check(&self.store)?;
        if !machine::is_root() {
            return Ok(());
        }
        // the network may be there without any node: what is missing is not made to be removed
        let _lock = if self.store.data.exists() {
            Lock::take(&self.store.data)?
        } else {
            Lock::of_network()?
        };
        self.owner.check(&self.store)?;
        self.remove_remains(&self.store.nodes()?.1)?;
        self.network.remove()?;
        self.store.remove_empty();
        Ok(())
    }

    fn images(&self, _: &ImageSpec) -> Result<Vec<Image>> {
        let name = |root: &Root| match root.is_machine() {
            true => "this machine's own root".to_owned(),
            false => root.directory.display().to_string(),
        };
        Ok(self
            .roots()
            .into_iter()
            .map(|root| Image {
                name: name(&root),
                id: root.id,
                os: root.os,
                login_user: None,
                min_disk: None,
            })
            .collect())
    }

    fn hardware(&self) -> Result<Vec<Hardware>> {
        let disk = machine::free_disk(&self.store.data);
        Ok(vec![Hardware {
            id: image::MACHINE.to_owned(),
            cores: machine::cores(),
            ram: machine::memory(),
            disk,
            ..Hardware::default()
        }])
    }

    fn locations(&self) -> Result<Vec<Location>> {
        Ok(vec![Location { id: image::MACHINE.to_owned(), name: "this machine".to_owned() }])
    }

    fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        let _lock = Lock::take(&self.store.data)?;
        files::take_lease(&self.store.lease(), wanted)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        if !self.store.data.exists() {
            return Ok(());
        }
        let _lock = Lock::take(&self.store.data)?;
        files::release_lease(&self.store.lease(), token)?;
        self.store.remove_empty();
        Ok(())
    }
}

impl Sandbox {
    fn roots(&self) -> Vec<Root> {
        image::all(&self.options, &self.context.directory)
    }

    /// The root that nodes are made from.
    fn root(&self, wanted: &RunNodes) -> Result<Root, PluginError> {
        let NoNodeOptions {} = node_options(&wanted.spec, Self::NAME)?;
        image::find(self.roots(), wanted.image.as_ref())
    }

    pub(crate) fn layout(&self, root: &Root) -> Layout {
        Layout::of(
            root,
            &[&self.context.directory, &self.context.data_directory, &self.context.home],
        )
    }

    /// Removes all that there is of a node.
    pub(crate) fn remove(&self, record: &Record, boot_id: &str) -> Result<()> {
        if let Some(process) = record.running(boot_id) {
            process.kill()?;
            process.wait()?;
        }
        self.network.disconnect(&record.device)?;
        remove_directory(&self.store.directory(&record.name))
    }

    /// Removes what creations left that were interrupted. Their processes ended with the provider
    /// that made them.
    fn remove_remains(&self, remains: &[PathBuf]) -> Result<()> {
        for directory in remains {
            if let Some(record) = store::read(directory) {
                self.network.disconnect(&record.device)?;
            }
            remove_directory(directory)?;
        }
        Ok(())
    }

    /// The name of the machine's end of a node's cable: at most 15 bytes, and no other node's.
    pub(crate) fn device(&self, name: &str) -> String {
        let words = [self.network.bridge.as_str(), &self.store.service.to_string_lossy(), name];
        format!("pv{:012x}", store::digest(&words) >> 16)
    }
}

/// When nodes are made now: after those that are there, also where the clock was set back, or has
/// not gone on by a second.
fn now_after<'records>(known: impl Iterator<Item = &'records Record>) -> u64 {
    known.map(|record| record.created.saturating_add(1)).fold(unix_time(), u64::max)
}

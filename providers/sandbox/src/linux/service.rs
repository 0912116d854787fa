//! The service: creates, starts, lists and destroys nodes.

use std::collections::{BTreeMap, BTreeSet};

use pallet_core::prelude::*;

use crate::linux::image::{self, Root};
use crate::linux::lock::Lock;
use crate::linux::machine;
use crate::linux::network::Network;
use crate::linux::node::node;
use crate::linux::owner::{self, Owner};
use crate::linux::resolve;
use crate::linux::run::{Run, Started, Step};
use crate::linux::sandbox::Sandbox;
use crate::linux::store::{self, Record};
use crate::options::Options;

impl Provider for Sandbox {
    const NAME: &'static str = "sandbox";
    const ABOUT: &'static str = crate::about::ABOUT;
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let network = Network::new(&options.network, &options.bridge)?;
        image::check(&options, &context.directory)?;
        Ok(Sandbox {
            store: store::open(&context),
            owner: Owner::new(&context),
            context,
            options,
            network,
        })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        self.owner.check(&self.store)?;
        let (mut records, remains) = self.store.scan()?;
        // without the lock, another process may be about to complete them
        if !remains.is_empty()
            && machine::is_root()
            && let Some(_lock) = DirectoryLock::try_take(&self.store.data)?
        {
            let remains;
            (records, remains) = self.store.scan()?;
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
            && !self.store.nodes()?.iter().any(|record| wanted.names.contains(&record.name))
        {
            // without an image nothing can be created, and no node exists that could be started
            return Ok(wanted.names.iter().map(|_| Created::Failed(error.clone())).collect());
        }
        let lock = Lock::take(&self.store.data)?;
        self.owner.check(&self.store)?;
        let (known, remains) = self.store.scan()?;
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
            self.store.records_of_all()?.into_iter().map(|record| record.address).collect();

        // starts all nodes before it waits for the first one
        let mut names = BTreeSet::new();
        let steps: Vec<Result<Step>> = wanted
            .names
            .iter()
            .map(|name| {
                ensure!(
                    names.insert(name),
                    PluginError::invalid_input(format!("node {name} is requested twice"))
                );
                run.begin(name, known.iter().find(|record| record.name == *name), &mut taken)
            })
            .collect();
        let started: Vec<Result<Started>> =
            steps.into_iter().map(|step| step.and_then(|step| run.finish(step))).collect();
        drop(lock);
        let outcomes =
            run.wait_for_all(started).into_iter().zip(&wanted.names).map(|(record, name)| {
                match record.with_context(|| format!("node {name}")) {
                    Ok(record) => Created::Node(Box::new(node(&record, &run.boot_id))),
                    Err(error) => Created::Failed(error.into()),
                }
            });
        Ok(outcomes.collect())
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        self.owner.check(&self.store)?;
        let known = |records: &[Record]| records.iter().any(|record| ids.contains(&record.id));
        if !known(&self.store.nodes()?) {
            return Ok(());
        }
        machine::check()?;
        let _lock = Lock::take(&self.store.data)?;
        self.owner.check(&self.store)?;
        let (records, _) = self.store.scan()?;
        let boot_id = machine::boot_id()?;
        let doomed: Vec<_> = records.iter().filter(|record| ids.contains(&record.id)).collect();
        for process in doomed.iter().filter_map(|record| record.running(&boot_id)) {
            process.kill()?;
        }
        // continues if one cannot be removed
        let outcomes = doomed.iter().map(|record| {
            self.remove(record, &boot_id).with_context(|| format!("node {}", record.name))
        });
        outcomes.collect::<Vec<_>>().into_iter().collect()
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let _lock = Lock::take(&self.store.data)?;
        self.owner.check(&self.store)?;
        let (records, _) = self.store.scan()?;
        let Some(mut record) = records.into_iter().find(|record| record.id == id) else {
            return Err(PluginError::not_found(format!(
                "provider sandbox has no node with id {id}"
            ))
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
        // the network may exist without any nodes; avoids creating a directory only to remove it
        let _lock = if self.store.data.exists() {
            Lock::take(&self.store.data)?
        } else {
            Lock::of_network()?
        };
        self.owner.check(&self.store)?;
        self.remove_remains(&self.store.scan()?.1)?;
        self.network.remove()?;
        owner::remove_empty(&self.store);
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
        self.store.take_lease(wanted)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        if !self.store.data.exists() {
            return Ok(());
        }
        let _lock = Lock::take(&self.store.data)?;
        self.store.release_lease(token)?;
        owner::remove_empty(&self.store);
        Ok(())
    }
}

/// The creation time of new nodes: later than that of existing ones, even if the clock was set back
/// or less than a second has passed.
fn now_after<'records>(known: impl Iterator<Item = &'records Record>) -> u64 {
    known.map(|record| record.created.saturating_add(1)).fold(unix_time(), u64::max)
}

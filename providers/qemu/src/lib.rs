//! Virtual machines on this machine, by QEMU, with cloud-init.
#![forbid(unsafe_code)]

mod accel;
mod hardware;
mod host_key;
mod image;
mod machine;
mod options;
mod port;
mod process;
mod run;
mod seed;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pallet_core::prelude::*;

use machine::Machine;
use options::Options;
use run::Run;
use store::{Record, Store};

/// Where all ports of nodes are.
const ADDRESS: &str = "127.0.0.1";

/// One configured service.
struct Qemu {
    options: Options,
    context: ServiceContext,
    store: Store,
    program: PathBuf,
    arch: String,
}

impl Provider for Qemu {
    const NAME: &'static str = "qemu";
    const ABOUT: &'static str = "Virtual machines on this machine, by QEMU, with cloud-init";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let invalid = |message: String| {
            PluginError::new(
                ErrorKind::InvalidInput,
                format!("services.{}: {message}", context.service),
            )
        };
        if !cfg!(target_os = "linux") {
            return Err(PluginError::new(
                ErrorKind::Unsupported,
                "provider qemu needs Linux, whose \
                list of processes it reads",
            )
            .into());
        }
        ensure!(!options.images.is_empty(), invalid("`images` names no image".to_owned()));
        for (name, image) in &options.images {
            let loose =
                image.kernel.is_none() && (image.initrd.is_some() || image.append.is_some());
            ensure!(
                !loose,
                invalid(format!(
                    "image `{name}` has `initrd` or `append` without \
                `kernel`"
                ))
            );
        }
        for (name, size) in &options.hardware {
            ensure!(
                size.cores > 0 && size.ram > 0,
                invalid(format!(
                    "hardware `{name}` has no \
                cores or no memory"
                ))
            );
        }
        let (program, arch) = hardware::program(options.program.as_deref(), &context.directory);
        Ok(Qemu { store: Store::new(&context), options, context, program, arch })
    }

    fn nodes(&self) -> Result<Vec<Node>> {
        Ok(self.store.nodes()?.iter().map(|record| self.node(record)).collect())
    }

    fn run_nodes(&self, wanted: &RunNodes) -> Result<Vec<Created>> {
        let NoNodeOptions {} = node_options(&wanted.spec, Self::NAME)?;
        let network = wanted.spec.network.as_ref();
        if network
            .is_some_and(|network| network.subnet.is_some() || !network.security_groups.is_empty())
        {
            let message = "provider qemu has neither subnets nor security groups, which the \
                node-spec names";
            return Err(PluginError::new(ErrorKind::Unsupported, message).into());
        }
        if wanted.names.is_empty() {
            return Ok(Vec::new());
        }
        Run { qemu: self, wanted }.all()
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        let _lock = self.store.lock()?;
        for record in self.store.nodes()?.iter().filter(|record| ids.contains(&record.id)) {
            store::remove(&self.store.directory(&record.name))?;
        }
        self.store.remove_empty();
        Ok(())
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let _lock = self.store.lock()?;
        let nodes = self.store.nodes()?;
        let Some(record) = nodes.into_iter().find(|record| record.id == id) else {
            self.store.remove_empty();
            return Err(PluginError::new(
                ErrorKind::NotFound,
                format!(
                    "provider qemu has no node \
                with the id {id}"
                ),
            )
            .into());
        };
        let mut record = record;
        record.tags.extend(tags.clone());
        self.store.save(&record)
    }

    fn clean_up(&self) -> Result<()> {
        let lock = self.store.lock()?;
        self.store.remove_remains(&lock)?;
        self.store.remove_empty();
        Ok(())
    }

    fn images(&self, _wanted: &ImageSpec) -> Result<Vec<Image>> {
        Ok(image::all(&self.options, &self.context.directory, &self.arch))
    }

    fn hardware(&self) -> Result<Vec<Hardware>> {
        Ok(hardware::all(&self.options, &self.arch))
    }

    fn take_lease(&self, wanted: &Lease) -> Result<Option<Lease>> {
        let _lock = self.store.lock()?;
        files::take_lease(&self.store.lease(), wanted)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        let _lock = self.store.lock()?;
        files::release_lease(&self.store.lease(), token)?;
        self.store.remove_empty();
        Ok(())
    }
}

impl Qemu {
    fn machine<'a>(&'a self, directory: &'a Path) -> Machine<'a> {
        Machine { program: &self.program, arch: &self.arch, options: &self.options, directory }
    }

    fn node(&self, record: &Record) -> Node {
        let runs = process::of(&self.store.directory(&record.name)).is_some();
        let ssh = SshConnection {
            host: ADDRESS.to_owned(),
            port: record.ports.get(&22).copied(),
            host_keys: vec![record.host_key.clone()],
            ..SshConnection::default()
        };
        let own = [
            ("pallet-project", &self.context.project),
            ("pallet-group", &record.group),
            ("pallet-name", &record.name),
        ];
        let mut tags: BTreeMap<_, _> =
            own.into_iter().map(|(tag, value)| (tag.to_owned(), value.clone())).collect();
        tags.extend(record.tags.clone());
        let inbound = record.ports.iter().filter(|(inside, _)| **inside != 22);
        let status = match (runs, record.answered) {
            (true, true) => NodeStatus::Running,
            (true, false) => NodeStatus::Starting,
            (false, _) => NodeStatus::Stopped,
        };
        Node {
            group: Some(record.group.clone()),
            address: Some(ADDRESS.to_owned()),
            ports: inbound
                .map(|(inside, outside)| (*inside, format!("{ADDRESS}:{outside}")))
                .collect(),
            image_user: record.login_user.clone(),
            status,
            os: record.os.clone(),
            tags,
            taggable: true,
            created: record.created,
            ..Node::new(&record.id, &record.name, Connection::Ssh(ssh))
        }
    }
}

pallet_core::export_provider!(Qemu);

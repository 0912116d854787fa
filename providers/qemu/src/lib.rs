//! Virtual machines on this machine, with QEMU and cloud-init.
#![forbid(unsafe_code)]

mod accel;
mod boot;
mod hardware;
mod host_key;
mod image;
mod machine;
mod options;
mod port;
mod process;
mod run;
mod seed;
mod service;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use pallet_core::prelude::*;

use options::Options;
use run::Run;
use service::Qemu;

impl Provider for Qemu {
    const NAME: &'static str = "qemu";
    const ABOUT: &'static str = "Virtual machines on this machine, by QEMU, with cloud-init";
    type Options = Options;

    fn connect(options: Options, context: ServiceContext) -> Result<Self> {
        let invalid = |message: String| {
            PluginError::invalid_input(format!("services.{}: {message}", context.service))
        };
        if !cfg!(target_os = "linux") {
            return Err(PluginError::unsupported(
                "provider qemu needs Linux, whose list of processes it reads",
            )
            .into());
        }
        ensure!(!options.images.is_empty(), invalid("`images` names no image".to_owned()));
        for (name, image) in &options.images {
            let loose =
                image.kernel.is_none() && (image.initrd.is_some() || image.append.is_some());
            ensure!(
                !loose,
                invalid(format!("image `{name}` has `initrd` or `append` without `kernel`"))
            );
        }
        for (name, size) in &options.hardware {
            ensure!(
                size.cores > 0 && size.ram > 0,
                invalid(format!("hardware `{name}` has no cores or no memory"))
            );
        }
        let (program, arch) = hardware::program(options.program.as_deref(), &context.directory);
        Ok(Qemu { store: store::open(&context), options, context, program, arch })
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
            return Err(PluginError::unsupported(message).into());
        }
        if wanted.names.is_empty() {
            return Ok(Vec::new());
        }
        Run { qemu: self, wanted }.all()
    }

    fn destroy_nodes(&self, ids: &[String]) -> Result<()> {
        let _lock = store::lock(&self.store)?;
        for record in self.store.nodes()?.iter().filter(|record| ids.contains(&record.id)) {
            store::remove(&self.store.directory(&record.name))?;
        }
        self.store.remove_empty();
        Ok(())
    }

    fn tag_node(&self, id: &str, tags: &BTreeMap<String, String>) -> Result<()> {
        let _lock = store::lock(&self.store)?;
        let nodes = self.store.nodes()?;
        let Some(record) = nodes.into_iter().find(|record| record.id == id) else {
            self.store.remove_empty();
            return Err(PluginError::not_found(format!(
                "provider qemu has no node with the id {id}"
            ))
            .into());
        };
        let mut record = record;
        record.tags.extend(tags.clone());
        self.store.save(&record)
    }

    fn clean_up(&self) -> Result<()> {
        let lock = store::lock(&self.store)?;
        store::remove_remains(&self.store, &lock)?;
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
        let _lock = store::lock(&self.store)?;
        self.store.take_lease(wanted)
    }

    fn release_lease(&self, token: &str) -> Result<()> {
        let _lock = store::lock(&self.store)?;
        self.store.release_lease(token)?;
        self.store.remove_empty();
        Ok(())
    }
}

pallet_core::export_provider!(Qemu);
